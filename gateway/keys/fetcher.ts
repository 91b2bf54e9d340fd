/**
 * One key set document at one URL, kept fresh: the only place that fetches keys, on the main thread.
 *
 * Two reasons to fetch, which do not disturb one another. The background refresh comes at its time, with jitter, sooner
 * after a failure. An unknown kid may cause one fetch within its interval, counted from the attempt, so that neither a flood
 * of them nor a failing issuer leads to more. Attempts never overlap, so an older answer cannot replace a newer one.
 */
import type { Clock } from '../core/clock.ts';
import type { Timers } from '../core/timers.ts';
import { discoveryUrl, readDiscovery } from './discovery.ts';
import { errorOf, SourceError, UnusableContent } from './source.ts';
import type { KeySource, SourceOwner, SourceStatus } from './source.ts';

export interface FetchRequest {
  readonly headers: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly bytesMax: number;
  readonly allowHttp: boolean;
}

/** `upstream/fetch.ts`: bounded, https or loopback, no redirects. */
export type FetchDocument = (
  url: string,
  request: FetchRequest,
) => Promise<{
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Buffer;
}>;

export interface FetcherSettings {
  /** The key set itself, or the issuer that tells where it is. */
  readonly target: { readonly url: string } | { readonly issuer: string };
  readonly refreshMs: number;
  readonly unknownKidIntervalMs: number;
  readonly timeoutMs: number;
  readonly bytesMax: number;
  readonly allowHttp: boolean;
}

export interface FetcherParts {
  readonly fetch: FetchDocument;
  readonly clock: Clock;
  readonly timers: Timers;
  /** Uniform in [0, 1). */
  readonly random: () => number;
}

/** The first pause after a failed refresh; it doubles up to `refreshMs`, and a minute at most. */
const retryMsMin = 1000;
const retryMsMax = 60_000;
/** While there never were any keys, every request waits for the issuer to come up. */
const firstRetryMsMax = 5000;
/** Discovery is done again this often, and after a failure. */
const discoveryMsMax = 3_600_000;

interface Validators {
  readonly url: string;
  readonly etag: string | undefined;
  readonly lastModified: string | undefined;
  readonly body: Buffer;
}

export class Fetcher implements KeySource {
  readonly #settings: FetcherSettings;
  readonly #parts: FetcherParts;
  readonly #owner: SourceOwner;
  #located: { readonly url: string; readonly atMs: number } | null = null;
  /** Of the last document that was put to use. */
  #validators: Validators | null = null;
  #inFlight: Promise<void> | null = null;
  #refetching: Promise<void> | null = null;
  #refetchedMs = Number.NEGATIVE_INFINITY;
  #lastAttemptMs: number | null = null;
  #nextAttemptMs: number | null = null;
  #failures = 0;
  #wasLoaded = false;
  #cancel: () => void = () => {};
  #stopped = false;

  constructor(settings: FetcherSettings, parts: FetcherParts, owner: SourceOwner) {
    this.#settings = settings;
    this.#parts = parts;
    this.#owner = owner;
  }

  start(): Promise<void> {
    return this.#refresh();
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel();
    this.#nextAttemptMs = null;
  }

  refetch(): 'cooldown' | Promise<void> {
    if (this.#refetching !== null) return this.#refetching;
    const nowMs = this.#parts.clock.monotonicMs();
    if (this.#stopped || nowMs - this.#refetchedMs < this.#settings.unknownKidIntervalMs) return 'cooldown';
    this.#refetchedMs = nowMs;
    // An attempt under way may have been answered before the key was published: it does not count as this one.
    const before = this.#inFlight ?? Promise.resolve();
    this.#refetching = before
      .then(() => this.#attempt(false))
      .finally(() => {
        this.#refetching = null;
      });
    return this.#refetching;
  }

  status(): SourceStatus {
    return {
      lastAttemptMs: this.#lastAttemptMs,
      nextAttemptMs: this.#nextAttemptMs,
      failuresInRow: this.#failures,
    };
  }

  async #refresh(): Promise<void> {
    await (this.#inFlight ?? Promise.resolve());
    await this.#attempt(true);
    if (this.#stopped) return;
    const delayMs = this.#pauseMs(this.#parts.random());
    this.#nextAttemptMs = this.#parts.clock.monotonicMs() + delayMs;
    this.#cancel();
    this.#cancel = this.#parts.timers.after(delayMs, () => void this.#refresh());
  }

  /** `jitter` within [0, 1). */
  #pauseMs(jitter: number): number {
    const { refreshMs } = this.#settings;
    if (this.#failures === 0) return refreshMs * (0.9 + 0.2 * jitter);
    const doubled = retryMsMin * 2 ** Math.min(16, this.#failures - 1);
    const ceiling = this.#wasLoaded ? retryMsMax : firstRetryMsMax;
    return Math.min(refreshMs, ceiling, doubled) * (0.5 + 0.5 * jitter);
  }

  /** Never rejects. */
  #attempt(isRefresh: boolean): Promise<void> {
    if (this.#stopped) return Promise.resolve();
    this.#inFlight ??= this.#once(isRefresh).finally(() => {
      this.#inFlight = null;
    });
    return this.#inFlight;
  }

  async #once(isRefresh: boolean): Promise<void> {
    const { clock } = this.#parts;
    const startMs = clock.monotonicMs();
    this.#lastAttemptMs = startMs;
    let outcome: 'changed' | 'unchanged' | 'failed';
    try {
      const url = await this.#locate(startMs);
      outcome = (await this.#fetch(url)) ? 'changed' : 'unchanged';
      this.#failures = 0;
      this.#wasLoaded = true;
    } catch (error) {
      outcome = 'failed';
      this.#failures += 1;
      const isKnown = this.#stopped || error instanceof UnusableContent;
      if (!isKnown) this.#owner.failed(errorOf(error), isRefresh);
    }
    if (!this.#stopped) this.#owner.attempted(outcome, clock.monotonicMs() - startMs);
  }

  async #locate(nowMs: number): Promise<string> {
    const { target } = this.#settings;
    if ('url' in target) return target.url;
    const located = this.#located;
    if (located !== null && this.#failures === 0 && nowMs - located.atMs < discoveryMsMax) return located.url;
    try {
      const answer = await this.#get(discoveryUrl(target.issuer), {});
      if (answer.status !== 200) throw new SourceError(`discovery was answered with status ${answer.status}`);
      this.#located = { url: readDiscovery(answer.body, target.issuer), atMs: nowMs };
    } catch (error) {
      // The place that was good before is tried while discovery fails.
      if (located === null) throw error;
      return located.url;
    }
    return this.#located.url;
  }

  /** True when there was something new. */
  async #fetch(url: string): Promise<boolean> {
    const known = this.#validators?.url === url ? this.#validators : null;
    const headers: Record<string, string> = {};
    if (known?.etag !== undefined) headers['if-none-match'] = known.etag;
    if (known?.lastModified !== undefined) headers['if-modified-since'] = known.lastModified;
    const answer = await this.#get(url, headers);
    if (this.#stopped) return false;
    const isSame =
      answer.status === 304 || (answer.status === 200 && known?.body.equals(answer.body) === true);
    if (known !== null && isSame) {
      this.#owner.unchanged();
      return false;
    }
    if (answer.status !== 200) throw new SourceError(`the key set was answered with status ${answer.status}`);
    // What could not be used is asked for in full the next time.
    this.#validators = null;
    if (!(await this.#owner.taken(answer.body))) throw new UnusableContent();
    this.#validators = {
      url,
      etag: answer.headers.get('etag'),
      lastModified: answer.headers.get('last-modified'),
      body: answer.body,
    };
    return true;
  }

  #get(url: string, headers: Readonly<Record<string, string>>): ReturnType<FetchDocument> {
    const { timeoutMs, bytesMax, allowHttp } = this.#settings;
    return this.#parts.fetch(url, { headers, timeoutMs, bytesMax, allowHttp });
  }
}
