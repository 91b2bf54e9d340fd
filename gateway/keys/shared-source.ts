/**
 * A source and the issuers that take from it: issuers that name the same key set share one fetcher, whatever else differs.
 */
import type { KeysConfig } from '../config/schema.ts';
import { Fetcher } from './fetcher.ts';
import type { FetcherParts, FetcherSettings } from './fetcher.ts';
import { KeyFile } from './files.ts';
import type { FileParts } from './files.ts';
import type { IssuerKeys } from './issuer-keys.ts';
import type { KeySource, SourceOwner } from './source.ts';

/** What is told of the fetches; `metrics/control.ts` fits. */
export interface KeysObserver {
  keysFetched(issuer: string, outcome: 'changed' | 'unchanged' | 'failed', durationMs: number): void;
  unknownKid(issuer: string, outcome: 'fetched' | 'suppressed'): void;
}

export interface SourceParts extends FetcherParts, FileParts {
  readonly observer: KeysObserver;
  readonly environment: (name: string) => string | undefined;
}

/** Names the place where an issuer's keys are; issuers with one place share a source. */
export function placeOf(issuer: IssuerKeys): string {
  const { keys } = issuer.config;
  if (keys.jwksUri !== undefined) return `url ${keys.jwksUri}`;
  if (keys.discovery !== undefined) return `discovery ${issuer.config.issuer ?? ''}`;
  if (keys.secretEnv !== undefined) return `environment ${keys.secretEnv}`;
  const file = keys.jwksFile ?? keys.secretFile;
  return file === undefined ? 'none' : `file ${file}`;
}

/** The settings of one source out of those of its issuers: the freshest keys, the fewest fetches. */
export function settingsOf(issuers: readonly IssuerKeys[]): Omit<FetcherSettings, 'target'> {
  const all = issuers.map(({ config }) => config.keys);
  const least = (pick: (keys: KeysConfig) => number): number => Math.min(...all.map((keys) => pick(keys)));
  const most = (pick: (keys: KeysConfig) => number): number => Math.max(...all.map((keys) => pick(keys)));
  return {
    refreshMs: 1000 * least((keys) => keys.refreshSeconds),
    unknownKidIntervalMs: 1000 * most((keys) => keys.unknownKidIntervalSeconds),
    timeoutMs: most((keys) => keys.timeoutMs),
    bytesMax: most((keys) => keys.maxBytes),
    allowHttp: all.every((keys) => keys.allowHttp),
  };
}

/** A secret of the environment: read once, for it cannot change. */
function environmentSource(name: string, parts: SourceParts, owner: SourceOwner): KeySource {
  return {
    start: async () => {
      const value = parts.environment(name);
      if (value === undefined) owner.failed(new Error('the environment variable is not set'), false);
      else await owner.taken(Buffer.from(value, 'utf8'));
    },
    stop: () => {},
    refetch: () => 'cooldown',
    status: () => ({ lastAttemptMs: null, nextAttemptMs: null, failuresInRow: 0 }),
  };
}

/** For issuers that sign nothing: they are asked about each token. */
const noSource: KeySource = {
  start: () => Promise.resolve(),
  stop: () => {},
  refetch: () => 'cooldown',
  status: () => ({ lastAttemptMs: null, nextAttemptMs: null, failuresInRow: 0 }),
};

export class SharedSource implements SourceOwner {
  readonly place: string;
  /** A source with other settings is another source. */
  readonly settingsText: string;
  readonly source: KeySource;
  readonly #observer: KeysObserver;
  #issuers: readonly IssuerKeys[];
  #lastContent: Buffer | null = null;

  constructor(issuers: readonly [IssuerKeys, ...IssuerKeys[]], parts: SourceParts) {
    const [first] = issuers;
    this.#issuers = issuers;
    this.#observer = parts.observer;
    this.place = placeOf(first);
    const settings = settingsOf(issuers);
    this.settingsText = JSON.stringify(settings);
    const { keys, issuer = '' } = first.config;
    if (keys.jwksUri !== undefined || keys.discovery !== undefined) {
      const target = keys.jwksUri === undefined ? { issuer } : { url: keys.jwksUri };
      this.source = new Fetcher({ target, ...settings }, parts, this);
    } else if (keys.secretEnv !== undefined) this.source = environmentSource(keys.secretEnv, parts, this);
    else if (this.place === 'none') this.source = noSource;
    else this.source = new KeyFile(keys.jwksFile ?? keys.secretFile ?? '', settings.bytesMax, parts, this);
  }

  /** Other issuers take from here now. Those that are new get what there is. */
  async serve(issuers: readonly IssuerKeys[]): Promise<void> {
    const added = issuers.filter((issuer) => !this.#issuers.includes(issuer));
    this.#issuers = issuers;
    const content = this.#lastContent;
    if (content !== null) await Promise.all(added.map((issuer) => issuer.take(content)));
  }

  async taken(content: Buffer): Promise<boolean> {
    const taken = await Promise.all(this.#issuers.map((issuer) => issuer.take(content)));
    if (taken.includes(true)) this.#lastContent = content;
    return !taken.includes(false);
  }

  unchanged(): void {
    for (const issuer of this.#issuers) issuer.confirm();
  }

  failed(error: Error, isRefresh: boolean): void {
    for (const issuer of this.#issuers) issuer.failed(error, isRefresh);
  }

  attempted(outcome: 'changed' | 'unchanged' | 'failed', durationMs: number): void {
    for (const { name } of this.#issuers) this.#observer.keysFetched(name, outcome, durationMs);
  }
}
