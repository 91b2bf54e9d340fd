/**
 * Logins by a device code that is not RFC 8628's: codes are made and asked for in JSON, 403 and 404 mean "not yet", and
 * what comes in the end is an authorization code together with the PKCE verifier that the server chose. Only that last
 * exchange is standard (RFC 6749 section 4.1.3).
 */
import {
  authorizationCodeGrantRequest,
  expectNoState,
  processAuthorizationCodeResponse,
  validateAuthResponse,
} from 'oauth4webapi';
import { grantOf, type ServerConnection } from './authorization-server.ts';
import { clampedIntervalMs } from './device-attempt.ts';
import type { Attempt, AttemptPoll } from './provider.ts';
import { ProviderFault, statusFault } from './provider-fault.ts';
import type { Opened } from './server-provider.ts';

export async function beginDevicePkce(opened: Opened, signal: AbortSignal): Promise<Attempt> {
  const { server, config } = opened;
  const body = { ...config.parameters, client_id: server.client.client_id };
  const codes = await server.step('device_authorization', async () =>
    readCodes(await post(server, config.endpoints.deviceAuthorization!, body, signal)),
  );
  return new DevicePkceAttempt(opened, codes);
}

interface Codes {
  readonly deviceAuthId: string;
  readonly userCode: string;
  readonly intervalSeconds: number | undefined;
  readonly expiresInSeconds: number | undefined;
}

interface Approved {
  readonly code: string;
  readonly verifier: string;
}

class DevicePkceAttempt implements Attempt {
  readonly step: Attempt['step'];
  readonly lifetimeMs: number;
  readonly firstPollMs: number;
  readonly intervalMs: number;
  readonly #opened: Opened;
  readonly #codes: Codes;
  /** Approved; the exchange may take several attempts. */
  #approved: Approved | null = null;

  constructor(opened: Opened, codes: Codes) {
    const { config } = opened;
    this.#opened = opened;
    this.#codes = codes;
    this.step = {
      kind: 'device',
      userCode: codes.userCode,
      verificationUri: config.verificationUri!,
      verificationUriComplete: null,
    };
    const lifetimeSeconds = Math.min(
      config.lifetimeSeconds,
      codes.expiresInSeconds ?? config.lifetimeSeconds,
    );
    this.lifetimeMs = Math.max(1, lifetimeSeconds) * 1000;
    this.firstPollMs = this.intervalMs = clampedIntervalMs(codes.intervalSeconds, config);
  }

  async poll(signal: AbortSignal): Promise<AttemptPoll> {
    const { server } = this.#opened;
    if (this.#approved === null) {
      this.#approved = await server.step(
        'device_token',
        () => this.#ask(signal),
        (approved) => (approved === null ? 'pending' : 'ok'),
      );
      if (this.#approved === null) return { kind: 'pending' };
    }
    const { code, verifier } = this.#approved;
    return server.step('code_exchange', () => this.#exchange(code, verifier, signal));
  }

  /** Null: not approved yet. */
  async #ask(signal: AbortSignal): Promise<Approved | null> {
    const { server, config } = this.#opened;
    const { deviceAuthId, userCode } = this.#codes;
    const body = { device_auth_id: deviceAuthId, user_code: userCode };
    const response = await request(server, config.endpoints.deviceToken!, body, signal);
    if (response.status === 403 || response.status === 404) return null;
    const answer = await readJson(response);
    return { code: text(answer, 'authorization_code'), verifier: text(answer, 'code_verifier') };
  }

  async #exchange(code: string, verifier: string, signal: AbortSignal): Promise<AttemptPoll> {
    const { server, config, metadata, auth } = this.#opened;
    const { client } = server;
    const parameters = validateAuthResponse(metadata, client, new URLSearchParams({ code }), expectNoState);
    const response = await authorizationCodeGrantRequest(
      metadata,
      client,
      auth,
      parameters,
      config.redirectUri!,
      verifier,
      server.options(signal),
    );
    const granted = await processAuthorizationCodeResponse(metadata, client, response);
    return { kind: 'granted', grant: grantOf(granted, server.nowMs()) };
  }
}

type Json = Readonly<Record<string, unknown>>;

function request(server: ServerConnection, url: string, body: Json, signal: AbortSignal): Promise<Response> {
  const headers = { accept: 'application/json', 'content-type': 'application/json' };
  return server.fetch(url, { method: 'POST', headers, body: JSON.stringify(body), signal });
}

async function post(server: ServerConnection, url: string, body: Json, signal: AbortSignal): Promise<Json> {
  return readJson(await request(server, url, body, signal));
}

async function readJson(response: Response): Promise<Json> {
  if (response.status !== 200) throw statusFault(response);
  const value: unknown = await response.json().catch(() => null);
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new ProviderFault('invalid', 'the provider did not answer with a JSON object');
  return value as Json;
}

function readCodes(answer: Json): Codes {
  const userCode = text(answer, 'user_code');
  if (userCode.length > 64 || !/^[\x21-\x7e]+$/.test(userCode))
    throw new ProviderFault('invalid', 'the user code cannot be shown');
  return {
    deviceAuthId: text(answer, 'device_auth_id'),
    userCode,
    intervalSeconds: seconds(answer, 'interval'),
    expiresInSeconds: seconds(answer, 'expires_in'),
  };
}

function text(answer: Json, key: string): string {
  const value = answer[key];
  if (typeof value !== 'string' || value === '')
    throw new ProviderFault('invalid', `the answer lacks \`${key}\``);
  return value;
}

/** Some servers write numbers as text. */
function seconds(answer: Json, key: string): number | undefined {
  const value = Number(answer[key] ?? undefined);
  return Number.isFinite(value) ? value : undefined;
}
