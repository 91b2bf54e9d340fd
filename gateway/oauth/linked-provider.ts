/**
 * Links a credential that another program keeps in a file of this host. No secret is copied: what is stored is that the
 * account may use it, and the file is read when the credential is needed.
 */
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { ProviderConfig } from '../config/schema.ts';
import { isSendable } from './authorization-server.ts';
import type { GrantedTokens } from './credential.ts';
import type { Attempt, AttemptPoll, LinkedSource, Provider } from './provider.ts';
import { ProviderFault } from './provider-fault.ts';

export interface LinkedParts {
  readonly readFile: (path: string, bytesMax: number) => Promise<Buffer>;
  readonly nowMs: () => number;
}

type LinkedConfig = NonNullable<ProviderConfig['linked']>;

const fileBytesMax = 262_144;
const lookMs = 5000;

export class LinkedProvider implements Provider {
  readonly name: string;
  readonly flow = 'linked';
  readonly linked: LinkedSource = { isReady: () => this.#isReady(), tokens: () => this.#tokens() };
  readonly #config: ProviderConfig;
  readonly #source: LinkedConfig;
  readonly #parts: LinkedParts;

  constructor(name: string, config: ProviderConfig, linked: LinkedConfig, parts: LinkedParts) {
    this.name = name;
    this.#config = config;
    this.#source = linked;
    this.#parts = parts;
  }

  async begin(): Promise<Attempt> {
    const ready = await this.#isReady();
    return {
      step: { kind: 'linked', instruction: this.#source.instruction },
      lifetimeMs: this.#config.lifetimeSeconds * 1000,
      firstPollMs: ready ? 0 : lookMs,
      intervalMs: lookMs,
      poll: () => this.#poll(),
    };
  }

  /** Is there a credential that can be used, or that the other program can renew? */
  async #isReady(): Promise<boolean> {
    const tokens = await this.#tokens();
    if (tokens === null) return false;
    const { expiresAtMs, refreshToken } = tokens;
    return refreshToken !== null || expiresAtMs === null || expiresAtMs > this.#parts.nowMs();
  }

  refresh(): Promise<GrantedTokens> {
    return Promise.reject(new ProviderFault('refused', 'the other program renews what it keeps'));
  }

  /** What the file holds. A file that is missing, or is not what was described, is no credential. */
  async #tokens(): Promise<GrantedTokens | null> {
    const { accessToken, refreshToken, expiresAt, expiresUnit, file } = this.#source;
    let content: unknown;
    try {
      const path = file.startsWith('~/') ? join(homedir(), file.slice(2)) : file;
      content = JSON.parse((await this.#parts.readFile(path, fileBytesMax)).toString('utf8'));
    } catch {
      return null;
    }
    const token = at(content, accessToken);
    if (typeof token !== 'string' || !isSendable(token)) return null;
    const refresh = refreshToken === undefined ? null : at(content, refreshToken);
    const expires = expiresAt === undefined ? null : at(content, expiresAt);
    return {
      kind: 'tokens',
      accessToken: token,
      tokenType: 'bearer',
      refreshToken: typeof refresh === 'string' && refresh !== '' ? refresh : null,
      scope: null,
      subject: null,
      obtainedAtMs: this.#parts.nowMs(),
      expiresAtMs: typeof expires === 'number' ? expires * (expiresUnit === 'seconds' ? 1000 : 1) : null,
      refusal: null,
    };
  }

  async #poll(): Promise<AttemptPoll> {
    if (!(await this.#isReady())) return { kind: 'pending' };
    return { kind: 'granted', grant: { kind: 'linked', linkedAtMs: this.#parts.nowMs() } };
  }
}

function at(content: unknown, path: string | readonly string[]): unknown {
  let value = content;
  for (const name of typeof path === 'string' ? [path] : path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
    value = (value as Readonly<Record<string, unknown>>)[name];
  }
  return value;
}
