/**
 * The ways of a request that cannot be answered in its own callback: it waits for its body, or for its token to be verified,
 * and then goes on where `request.ts` left off. What the driver's request held is gone by then: all is in the arrival.
 */
import { isUtf8 } from 'node:buffer';
import type { Clock } from '../core/clock.ts';
import { type Refusal, refusals } from '../core/errors.ts';
import type { RawHeaders } from '../core/exchange.ts';
import { type Facts, isBound } from '../core/facts.ts';
import { isDenial, type Permit } from '../core/verdict.ts';
import { judgeToken } from '../route/decide.ts';
import type { Route } from '../route/policy.ts';
import type { Waiter } from '../token/pending.ts';
import type { Verifier } from '../token/verifier.ts';
import { collect } from '../upstream/body.ts';
import type { Arrival } from './arrival.ts';
import type { UwsExchange } from './exchange.ts';
import type { Judge } from './judgement.ts';
import { clientAddress } from './peers.ts';
import type { UpgradeTickets } from './upgrade-tickets.ts';

export interface SlowParts {
  readonly verifier: Verifier;
  readonly clock: Clock;
  readonly tickets: Pick<UpgradeTickets, 'give'>;
  readonly observer: { decided(arrival: Arrival, refusal: Refusal | null): void };
  readonly isTrustedPeer: (address: string) => boolean;
}

/** What goes on once the token is known. */
type Next = (outcome: Facts | Refusal) => void;

export class SlowWays {
  readonly #verifier: Verifier;
  readonly #clock: Clock;
  readonly #tickets: SlowParts['tickets'];
  readonly #observer: SlowParts['observer'];
  readonly #isTrustedPeer: SlowParts['isTrustedPeer'];
  readonly #judge: Judge;

  constructor({ verifier, clock, tickets, observer, isTrustedPeer }: SlowParts, judge: Judge) {
    this.#isTrustedPeer = isTrustedPeer;
    this.#judge = judge;
    this.#verifier = verifier;
    this.#clock = clock;
    this.#tickets = tickets;
    this.#observer = observer;
  }

  /** The token of a protected route, which `lookup` did not know, is verified, decided on, and served. */
  verify(exchange: UwsExchange, route: Route, token: string): void {
    this.#verify(exchange, token, (outcome) => this.#decide(exchange, route, outcome));
  }

  /** The token of a request that needs none is verified first, and the request is served whatever it is. */
  serveAside(exchange: UwsExchange, route: Route, token: string | Refusal | null): void {
    this.#lookAside(exchange, token, () => this.#decide(exchange, route, null));
  }

  /** The same where nothing matches: the refusal may bring a new token. */
  refuseAside(exchange: UwsExchange, token: string | Refusal, refusal: Refusal, allow: string): void {
    this.#lookAside(exchange, token, () => this.#refuse(exchange, refusal, allow));
  }

  /** Collects the body, refuses what is no JSON, and then looks at the credentials. */
  readJson(exchange: UwsExchange, route: Route, token: string | Refusal | null): void {
    const { body } = exchange;
    const { fields } = exchange.arrival;
    if (body === null) return this.#afterBody(exchange, route, token);
    collect(body, (bytes) => {
      if (exchange.gone) return;
      if (isJsonType(fields) && bytes.length > 0 && !isJson(bytes))
        return this.#refuse(exchange, refusals.body_not_json);
      body.keep(bytes);
      this.#afterBody(exchange, route, token);
    });
  }

  /** The facts of a token that nobody asked for, where it is good for its issuer; else null. */
  renewable({ serving, certificate }: Arrival, outcome: Facts | Refusal | null): Facts | null {
    if (outcome === null || 'code' in outcome) return null;
    const renewal = serving.policy.renewals[outcome.issuer] ?? null;
    if (renewal === null || !renewal.onAllAnswers) return null;
    const nowSeconds = this.#clock.nowMs() / 1000;
    const { liveKeys } = this.#verifier;
    return judgeToken(renewal.access, outcome, liveKeys, nowSeconds, certificate) === null ? outcome : null;
  }

  #lookAside(exchange: UwsExchange, token: string | Refusal | null, then: () => void): void {
    if (typeof token !== 'string') return then();
    this.#find(exchange, token, (outcome) => {
      exchange.arrival.facts = this.renewable(exchange.arrival, outcome);
      then();
    });
  }

  /** A permit that the route's access hook has to agree with. */
  ask(exchange: UwsExchange, route: Route, permit: Permit): void {
    const { arrival } = exchange;
    const askedMs = arrival.trace === null ? 0 : this.#clock.monotonicMs();
    arrival.serving.askHook(route, arrival, permit.facts!, (refusal) => {
      if (exchange.gone) return;
      arrival.trace?.asked(askedMs, route.hook!.name, refusal);
      if (refusal === null) this.#proceed(exchange, route, permit);
      else this.#refuse(exchange, refusal);
    });
  }

  /** Serves what was permitted: logins, the keys, a fixed answer, an upstream. */
  serve(exchange: UwsExchange, route: Route, permit: Permit): void {
    const { serving } = exchange.arrival;
    if (route.respond !== null) return exchange.respond(route.respond);
    if (route.jwks) return exchange.respond(serving.jwks);
    if (route.oauth !== null) return serving.login(permit, route.oauth, exchange);
    if (route.ticket !== null) return this.#tickets.give(route.ticket, exchange);
    exchange.forwardedMs = this.#clock.monotonicMs();
    exchange.traceFields = exchange.arrival.trace?.forwarded(exchange.forwardedMs) ?? null;
    serving.forward(permit, route, exchange);
  }

  /** `token` null: the route is public, and nobody looks aside. */
  #afterBody(exchange: UwsExchange, route: Route, token: string | Refusal | null): void {
    if (route.access === null) return this.serveAside(exchange, route, token);
    if (typeof token === 'string')
      this.#find(exchange, token, (outcome) => this.#decide(exchange, route, outcome));
    else this.#refuse(exchange, token ?? refusals.credentials_missing);
  }

  #find(exchange: UwsExchange, token: string, next: Next): void {
    const known = this.#verifier.lookup(token);
    if (known === undefined) this.#verify(exchange, token, next);
    else this.#tell(exchange, known, next);
  }

  /** What its token says: to a request that goes on. */
  #tell(exchange: UwsExchange, outcome: Facts | Refusal, next: Next): void {
    if (exchange.gone) return;
    if (isBound(outcome)) exchange.lookAtCertificate();
    next(outcome);
  }

  #verify(exchange: UwsExchange, token: string, next: Next): void {
    const { trace } = exchange.arrival;
    const fromMs = trace === null ? 0 : this.#clock.monotonicMs();
    const waiter: Waiter = {
      settle: (outcome, work) => {
        trace?.verified(fromMs, outcome, work);
        this.#tell(exchange, outcome, next);
      },
    };
    exchange.onGone(() => this.#verifier.withdraw(waiter));
    this.#verifier.verify(token, exchange.peerAddress, waiter);
  }

  #decide(exchange: UwsExchange, route: Route, outcome: Facts | Refusal | null): void {
    const { arrival } = exchange;
    if (outcome !== null) {
      if ('code' in outcome) return this.#refuse(exchange, outcome);
      arrival.facts = outcome;
    }
    const byAddress = route.rate?.by.kind === 'address';
    const address = byAddress ? clientAddress(exchange.peerAddress, arrival.fields, this.#isTrustedPeer) : '';
    const verdict = this.#judge(arrival, route, address);
    if (isDenial(verdict)) return this.#refuse(exchange, verdict);
    if (route.hook === null) this.#proceed(exchange, route, verdict);
    else this.ask(exchange, route, verdict);
  }

  #proceed(exchange: UwsExchange, route: Route, permit: Permit): void {
    this.#observer.decided(exchange.arrival, null);
    this.serve(exchange, route, permit);
  }

  #refuse(exchange: UwsExchange, refusal: Refusal, allow = ''): void {
    this.#observer.decided(exchange.arrival, refusal);
    exchange.refuse(refusal, allow);
  }
}

const JSON_TYPE = /^application\/(?:[\w.!#$&^+-]+\+)?json[\t ]*(?:;|$)/i;

/** Says the head that the body is JSON? So does a head that says nothing. */
function isJsonType(fields: RawHeaders): boolean {
  for (let i = 0; i < fields.length; i += 2)
    if (fields[i] === 'content-type') return JSON_TYPE.test(fields[i + 1]!);
  return true;
}

function isJson(bytes: Buffer): boolean {
  if (!isUtf8(bytes)) return false;
  try {
    JSON.parse(bytes.toString('utf8'));
    return true;
  } catch {
    return false;
  }
}
