/** The verifier of a listener thread, kept up to date with configuration and keys, and its line to the fetcher on main. */
import { systemClock } from '../core/clock.ts';
import { systemTimers } from '../core/timers.ts';
import type { Config } from '../config/schema.ts';
import type { Recorder } from '../metrics/recorder.ts';
import type { Policy } from '../route/policy.ts';
import { buildProfile } from '../token/profile.ts';
import { Verifier } from '../token/verifier.ts';
import { piscinaWorker } from '../token/worker.ts';
import type { Introspected } from '../token/verifier-parts.ts';
import type { VerifierProfile } from '../../workers/messages.ts';
import type { Configuration, IssuerKeys } from './messages.ts';

/**
 * Seven RS256 tokens, two of ES256 or one of EdDSA. More would be felt by requests whose tokens are known; less leaves to
 * workers what costs this thread as much to send as to judge.
 */
const ownNanosecondsPerTurn = 200_000;

export interface VerificationParts {
  readonly threads: number;
  readonly configuration: Configuration;
  readonly policy: Policy;
  readonly recorder: Recorder;
  /** Asks main to look for unknown keys; the answer comes to `searched` with the same ticket. */
  readonly search: (issuer: number, ticket: number) => void;
  /** Asks main about an opaque token; the answer comes to `introspected` with the same ticket. */
  readonly ask: (token: string, ticket: number) => void;
}

export class Verification {
  readonly verifier: Verifier;
  readonly #searches = new Map<number, () => void>();
  readonly #questions = new Map<number, (answer: Introspected) => void>();
  /** Names of the keys in the present sets, by their ids. */
  kids: ReadonlyMap<number, string> = new Map();
  #config: Config;
  #policy: Policy;
  #version = 0;
  #ticket = 0;

  constructor(parts: VerificationParts) {
    const { config, keys } = parts.configuration;
    this.#config = config;
    this.#policy = parts.policy;
    const { batchMax, queueMax, suspectQueueMax, deadlineMs, cacheEntries, cacheBytes, negativeEntries } =
      config.verifier;
    this.verifier = new Verifier(
      this.#profile(keys),
      {
        workers: parts.threads,
        batchMax,
        ownNanosecondsPerTurn,
        queueMax,
        suspectQueueMax,
        deadlineMs,
        cacheEntries,
        cacheBytes,
        negativeEntries,
      },
      {
        open: piscinaWorker(),
        clock: systemClock,
        timers: systemTimers,
        observer: parts.recorder,
        requestKeys: (issuer) =>
          new Promise((resolve) => {
            this.#ticket += 1;
            this.#searches.set(this.#ticket, resolve);
            parts.search(issuer, this.#ticket);
          }),
        introspect: (token) =>
          new Promise((resolve) => {
            this.#ticket += 1;
            this.#questions.set(this.#ticket, resolve);
            parts.ask(token, this.#ticket);
          }),
      },
    );
  }

  /** Another configuration is in force. */
  configure(configuration: Configuration, policy: Policy): void {
    this.#config = configuration.config;
    this.#policy = policy;
    this.renewKeys(configuration.keys);
  }

  renewKeys(keys: IssuerKeys): void {
    this.verifier.setProfile(this.#profile(keys));
  }

  searched(ticket: number): void {
    this.#searches.get(ticket)?.();
    this.#searches.delete(ticket);
  }

  introspected(ticket: number, answer: Introspected): void {
    this.#questions.get(ticket)?.(answer);
    this.#questions.delete(ticket);
  }

  #profile(keys: IssuerKeys): VerifierProfile {
    this.kids = new Map(
      keys.flatMap((set) =>
        (set ?? []).flatMap(({ keyId, kid }) => (kid === null ? [] : [[keyId, kid] as const])),
      ),
    );
    this.#version += 1;
    const issuers = Object.values(this.#config.issuers);
    return buildProfile(this.#version, issuers, this.#policy.vocabulary, keys);
  }
}
