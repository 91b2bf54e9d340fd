/** A verifier on hand time with hand workers, and a record of everything that it tells. */
import type { Facts } from '../../gateway/core/facts.ts';
import type { Refusal } from '../../gateway/core/errors.ts';
import { Verifier } from '../../gateway/token/verifier.ts';
import type { Introspected } from '../../gateway/token/verifier-parts.ts';
import type { VerifierObserver, VerifierOptions } from '../../gateway/token/verifier-parts.ts';
import type { VerifierProfile } from '../../workers/messages.ts';
import { handWorkers } from './hand-worker.ts';
import { HandTime } from './hand-time.ts';

export const defaults: VerifierOptions = {
  workers: 1,
  batchMax: 64,
  // Workers judge everything, unless a test says otherwise.
  ownNanosecondsPerTurn: 0,
  queueMax: 100,
  suspectQueueMax: 10,
  deadlineMs: 400,
  cacheEntries: 100,
  cacheBytes: 1_000_000,
  negativeEntries: 100,
};

/** `accepted`, or the code of the refusal. */
export const said = (outcome: Facts | Refusal | undefined): string =>
  outcome === undefined ? 'unknown' : 'code' in outcome ? outcome.code : 'accepted';

export class Caller {
  readonly heard: (Facts | Refusal)[] = [];

  settle(outcome: Facts | Refusal): void {
    this.heard.push(outcome);
  }

  get codes(): string[] {
    return this.heard.map((outcome) => said(outcome));
  }
}

export interface Bench {
  readonly verifier: Verifier;
  readonly time: HandTime;
  readonly workers: ReturnType<typeof handWorkers>['workers'];
  /** Every call of the observer, as text. */
  readonly told: string[];
  /** Issuers whose keys were asked for; each ends when its `resolve` is called. */
  readonly asked: {
    readonly issuer: number;
    readonly resolve: () => void;
    readonly reject: (error: Error) => void;
  }[];
  /** Opaque tokens that were asked about. */
  readonly questions: { readonly token: string; readonly resolve: (answer: Introspected) => void }[];
  ask(token: string, peer?: string | null): Caller;
}

/** Starts a verifier and answers the first task of each worker. */
export async function openBench(
  profile: VerifierProfile,
  options: Partial<VerifierOptions> = {},
): Promise<Bench> {
  const time = new HandTime();
  const { workers, open } = handWorkers();
  const told: string[] = [];
  const asked: Bench['asked'] = [];
  const questions: Bench['questions'] = [];
  const observer = new Proxy({} as VerifierObserver, {
    get:
      (_, name) =>
      (...values: unknown[]) =>
        told.push([String(name), ...values].join(' ')),
  });
  const verifier = new Verifier(
    profile,
    { ...defaults, ...options },
    {
      open,
      clock: time.clock,
      timers: time.timers,
      observer,
      requestKeys: (issuer) => new Promise((resolve, reject) => asked.push({ issuer, resolve, reject })),
      introspect: (token) => new Promise((resolve) => questions.push({ token, resolve })),
    },
  );
  const opened = verifier.openWorkers();
  for (const worker of workers) await worker.answer();
  await opened;
  return {
    verifier,
    time,
    workers,
    told,
    asked,
    questions,
    ask: (token, peer = null) => {
      const caller = new Caller();
      verifier.verify(token, peer, caller);
      return caller;
    },
  };
}
