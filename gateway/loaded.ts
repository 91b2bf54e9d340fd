/** A configuration on its way into force, with the files that belong to it. Called at start and at reload, on the main thread. */
import { isDeepStrictEqual } from 'node:util';
import { loadConfig, type Loaded as LoadedConfig } from './config/load.ts';
import type { Problem } from './config/problem.ts';
import type { Config, OauthConfig } from './config/schema.ts';
import type { ReadFile } from './config/watch.ts';
import type { Environment } from './config/substitute.ts';
import { readBounded } from './keys/files.ts';
import type { Configuration } from './listener/messages.ts';
import { showPath } from './route/problem.ts';
import { CertificatesRefused } from './tls/files.ts';
import { readUpstreamTls } from './tls/upstream-tls.ts';
import { prepareTracing } from './tracing/preparation.ts';

type LoadedFile = Extract<LoadedConfig, { ok: true }>;

/** The configuration cannot be used. `problems` says why, place by place. */
export class ConfigurationRefused extends Error {
  override readonly name = 'ConfigurationRefused';
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    super('the configuration cannot be used');
    this.problems = problems;
  }
}

export interface Loaded extends Pick<LoadedFile, 'config' | 'policy' | 'warnings' | 'effective'> {
  readonly upstreamTls: Configuration['upstreamTls'];
  readonly collectorHeaders: Configuration['collectorHeaders'];
}

export interface LoadOptions {
  readonly file: string;
  readonly environment: Environment;
  /** Told of every file that was read for it, good or not. */
  readonly onFiles: (files: readonly ReadFile[]) => void;
}

/** Errors: `ConfigurationRefused`. */
export async function load({ file, environment, onFiles }: LoadOptions): Promise<Loaded> {
  const loaded = await loadConfig(file, environment);
  onFiles(loaded.files);
  if (!loaded.ok) throw new ConfigurationRefused(loaded.problems);
  const upstreamTls = await refusing(file, readUpstreamTls(loaded.config.upstreams, readBounded));
  const prepared = await prepareTracing(loaded.config.tracing, environment, readBounded);
  if (!prepared.ok) {
    const { path, message } = prepared.problem;
    throw new ConfigurationRefused([
      { ...loaded.placeOf(path), path: showPath(path), message, excerpt: null },
    ]);
  }
  return { ...loaded, upstreamTls, collectorHeaders: prepared.headers };
}

/** Certificates that cannot be used are problems of the configuration that names them. Errors: `ConfigurationRefused`. */
export async function refusing<T>(file: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof CertificatesRefused)) throw error;
    throw new ConfigurationRefused(
      error.problems.map(({ path, message }) => ({ file, line: 0, column: 0, path, message, excerpt: null })),
    );
  }
}

/** What a listener takes over only when it starts: a reload that changes it is refused. */
const fixedSections = ['listener', 'admin', 'verifier', 'metrics', 'tracing'] as const;
/** Of the listener, certificates can be renewed; whether it speaks TLS at all cannot be changed. */
const fixedPart = (config: Config, section: (typeof fixedSections)[number]): unknown =>
  section === 'listener' ? { ...config.listener, tls: config.listener.tls !== undefined } : config[section];

/** Sections whose change needs a restart. */
export function fixedChanges(present: Config, next: Config): readonly string[] {
  const changed: string[] = fixedSections.filter(
    (section) => !isDeepStrictEqual(fixedPart(next, section), fixedPart(present, section)),
  );
  if (!sameFlights(next.oauth, present.oauth)) changed.push('oauth');
  return changed;
}

/** Whether a table and a store made for one configuration serve another: providers may change, the rest is fixed. */
function sameFlights(one: OauthConfig | undefined, other: OauthConfig | undefined): boolean {
  if (one === undefined || other === undefined) return one === other;
  const { flows, keys } = one.limits;
  return (
    isDeepStrictEqual(one.store, other.store) &&
    isDeepStrictEqual(one.shared, other.shared) &&
    flows === other.limits.flows &&
    keys === other.limits.keys
  );
}
