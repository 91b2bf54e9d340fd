/**
 * Opaque tokens on a listener thread: what their issuer said of them, in the shape of any other token's facts.
 *
 * A token that is no JWT belongs to the one issuer that is asked about such (RFC 7662). Main asks, once for all threads
 * (`oauth/introspector.ts`); here answers become facts by the same rules as claims do, and are kept as long as they hold.
 */
import { BriefMap } from '../core/brief-map.ts';
import { type Refusal, refusals } from '../core/errors.ts';
import type { Facts } from '../core/facts.ts';
import type { VerifierProfile } from '../../workers/messages.ts';
import { readClaims } from './claims.ts';
import { compiledOf } from './compiled.ts';
import { GenerationMap } from './generations.ts';
import type { JsonObject } from './json.ts';
import { introspectedKeyId, type Lineage } from './lineage.ts';
import type { Waiter } from './pending.ts';
import type { Introspected, VerifierObserver, VerifyResult } from './verifier-parts.ts';

export interface OpaqueParts {
  readonly entriesMax: number;
  /** Never rejects. */
  readonly introspect: (token: string) => Promise<Introspected>;
  readonly nowMs: () => number;
  readonly observer: Pick<VerifierObserver, 'tokenSeen'>;
}

interface Known {
  readonly outcome: Facts | Refusal;
  readonly untilMs: number;
}

/** A question under way, and who waits for its answer. */
interface Question {
  readonly lineage: Lineage;
  readonly waiters: Set<Waiter>;
}

export class OpaqueTokens {
  readonly #parts: OpaqueParts;
  readonly #known: GenerationMap<Known>;
  readonly #questions = new BriefMap<string, Question>();
  readonly #byWaiter = new BriefMap<Waiter, Question>();

  constructor(parts: OpaqueParts) {
    this.#parts = parts;
    this.#known = new GenerationMap(parts.entriesMax);
  }

  /** Another lineage holds: facts of the former one mean nothing now. */
  clear(): void {
    this.#known.clear();
    this.#questions.clear();
  }

  /** What is known of a token now; undefined when its issuer must be asked. */
  find(token: string): Facts | Refusal | undefined {
    const known = this.#known.get(token);
    if (known === undefined || known.untilMs <= this.#parts.nowMs()) return undefined;
    const isRefused = 'code' in known.outcome;
    this.#parts.observer.tokenSeen(null, isRefused ? 'refused' : 'accepted', isRefused ? 'negative' : 'hit');
    return known.outcome;
  }

  verify(token: string, lineage: Lineage, waiter: Waiter): void {
    let question = this.#questions.get(token);
    if (question === undefined) {
      question = { lineage, waiters: new Set() };
      this.#questions.set(token, question);
      void this.#ask(token, question);
    }
    question.waiters.add(waiter);
    this.#byWaiter.set(waiter, question);
  }

  withdraw(waiter: Waiter): void {
    this.#byWaiter.get(waiter)?.waiters.delete(waiter);
    this.#byWaiter.delete(waiter);
  }

  /** Answers everybody who waits. */
  close(): void {
    for (const question of this.#questions.values()) this.#settle(question, refusals.gateway_draining);
    this.#questions.clear();
  }

  async #ask(token: string, question: Question): Promise<void> {
    const answer = await this.#parts.introspect(token);
    const outcome = outcomeOf(question.lineage.profile, answer);
    if (this.#questions.get(token) === question) {
      this.#questions.delete(token);
      if (answer.kind !== 'failed') this.#known.set(token, { outcome, untilMs: answer.untilMs });
    }
    this.#settle(question, outcome);
  }

  #settle(question: Question, outcome: Facts | Refusal): void {
    let cache: 'miss' | 'joined' = 'miss';
    for (const waiter of question.waiters) {
      this.#byWaiter.delete(waiter);
      this.#parts.observer.tokenSeen(null, resultOf(outcome), cache);
      cache = 'joined';
      waiter.settle(outcome);
    }
    question.waiters.clear();
  }
}

function resultOf(outcome: Facts | Refusal): VerifyResult {
  if (!('code' in outcome)) return 'accepted';
  return outcome.source === 'gateway' ? 'failed' : 'refused';
}

/** An answer in the words of a profile. */
function outcomeOf(profile: VerifierProfile, answer: Introspected): Facts | Refusal {
  if (answer.kind === 'failed') return refusals.introspection_unavailable;
  if (answer.kind === 'inactive') return refusals.token_inactive;
  const compiled = compiledOf(profile);
  const issuer = compiled.issuers.find(({ profile: each }) => each.introspects);
  if (issuer === undefined) return refusals.token_malformed;
  // Without `exp` it is good for as long as the answer is.
  const claims: JsonObject = { exp: Math.ceil(answer.untilMs / 1000), ...answer.claims };
  const { iss, token_type: type } = claims;
  if (iss !== undefined && issuer.profile.issuer !== null && iss !== issuer.profile.issuer)
    return refusals.token_issuer;
  // A token that is bound to a key is no bearer token (RFC 9449 section 6.2).
  if (type !== undefined && (typeof type !== 'string' || type.toLowerCase() !== 'bearer'))
    return refusals.token_typ;
  const facts = readClaims(compiled, issuer, introspectedKeyId, claims);
  return typeof facts === 'string' ? refusals[facts] : facts;
}
