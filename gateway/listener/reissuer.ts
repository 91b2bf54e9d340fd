/**
 * New tokens on answers: the exchange of a route, and the renewal of a token that is about to expire. Asked once for each
 * answer, where the configuration has either; what it works on was verified when the request came, and is not verified
 * again, so that a token that expires meanwhile is renewed all the same.
 */
import type { Clock } from '../core/clock.ts';
import type { Refusal } from '../core/errors.ts';
import type { RawHeaders } from '../core/exchange.ts';
import type { Facts } from '../core/facts.ts';
import type { SignerConfig } from '../config/schema.ts';
import { isAboutToken } from '../route/error-profile.ts';
import type { Policy, Renewal, Route, TokenExchange } from '../route/policy.ts';
import type { JsonObject } from '../token/json.ts';
import { introspectedKeyId } from '../token/lineage.ts';
import { claimsOf, mint } from '../token/mint.ts';
import type { SigningKeys } from '../token/signing-key.ts';

/** What is known of the request that is answered. */
export interface Answered {
  readonly route: Route | null;
  readonly facts: Facts | null;
  readonly fields: RawHeaders;
}

export interface MintObserver {
  tokenMinted(purpose: 'exchange' | 'renewal'): void;
}

/** The field that brings a new token. */
export type TokenField = readonly [name: string, value: string];

/**
 * One token that is renewed for many requests at once is renewed once: so long, in seconds, the renewed one is given out
 * again. That bounds what a caller can make a listener sign.
 */
const reusedSeconds = 5;

export class Reissuer {
  readonly #policy: Policy;
  readonly #signers: Readonly<Record<string, SignerConfig>>;
  readonly #clock: Clock;
  readonly #observer: MintObserver;
  #keys: ReadonlyMap<string, SigningKeys> = new Map();
  readonly #renewed = new WeakMap<Facts, { readonly token: string; readonly madeSeconds: number }>();

  /** Null where the policy makes no tokens. */
  static of(
    policy: Policy,
    signers: Readonly<Record<string, SignerConfig>>,
    clock: Clock,
    observer: MintObserver,
  ): Reissuer | null {
    const isIdle =
      policy.renewals.every((renewal) => renewal === null) &&
      policy.routes.every(({ exchange }) => exchange === null);
    return isIdle ? null : new Reissuer(policy, signers, clock, observer);
  }

  private constructor(
    policy: Policy,
    signers: Readonly<Record<string, SignerConfig>>,
    clock: Clock,
    observer: MintObserver,
  ) {
    this.#policy = policy;
    this.#signers = signers;
    this.#clock = clock;
    this.#observer = observer;
  }

  /** In the order of the signers. */
  setKeys(keys: readonly SigningKeys[]): void {
    this.#keys = new Map(Object.keys(this.#signers).map((name, index) => [name, keys[index]!]));
  }

  /** For an answer that the gateway gives by itself; `refusal` null for a route that responds. */
  onOwnAnswer(request: Answered, refusal: Refusal | null): TokenField | null {
    const renewal = this.#renewalOf(request);
    if (renewal === null) return null;
    if (refusal !== null && (!renewal.onAllAnswers || isAboutToken(refusal))) return null;
    return this.#renew(request, renewal);
  }

  /** For an answer of an upstream: the new token, and the upstream's fields that pass beside it. */
  onUpstreamAnswer(
    request: Answered,
    status: number,
    headers: RawHeaders,
  ): { readonly field: TokenField | null; readonly headers: RawHeaders } {
    const exchange = request.route?.exchange ?? null;
    const renewal = this.#renewalOf(request);
    const stop = renewal?.stopHeader ?? null;
    const isStopped = stop !== null && headers.some((name, index) => index % 2 === 0 && name === stop);
    let field: TokenField | null = null;
    if (exchange !== null && status < 300 && this.#isExchanged(exchange, request))
      field = this.#exchange(request, exchange);
    else if (renewal !== null && !isStopped) field = this.#renew(request, renewal);
    return { field, headers: without(headers, field?.[0] ?? null, stop) };
  }

  #renewalOf({ facts }: Answered): Renewal | null {
    const renewal = facts === null ? null : (this.#policy.renewals[facts.issuer] ?? null);
    return renewal !== null && (renewal.exceptTypes & facts!.tokenType) === 0 ? renewal : null;
  }

  #isExchanged({ from }: TokenExchange, { facts }: Answered): boolean {
    return facts !== null && ((from[facts.issuer] ?? 0) & facts.tokenType) !== 0;
  }

  #exchange(request: Answered, { signer, header, to, typeClaims }: TokenExchange): TokenField | null {
    const token = tokenOf(request);
    if (token === null) return null;
    const { sub, iss, aud, cnf } = claimsOf(token);
    const typeClaim = typeClaims[request.facts!.issuer]!;
    const nowSeconds = this.#nowSeconds();
    const { lifetimeSeconds } = this.#signers[signer]!;
    // What is given for a bound token is bound, too.
    const kept = { sub, [typeClaim]: to, iss, aud, cnf };
    this.#observer.tokenMinted('exchange');
    return [header, this.#mint(signer, kept, nowSeconds, nowSeconds + lifetimeSeconds)];
  }

  #renew(request: Answered, renewal: Renewal): TokenField | null {
    const facts = request.facts!;
    const nowSeconds = this.#nowSeconds();
    const { lifetimeSeconds } = this.#signers[renewal.signer]!;
    if (!isDue(renewal, facts, lifetimeSeconds, nowSeconds)) return null;
    const made = this.#renewed.get(facts);
    if (made !== undefined && nowSeconds - made.madeSeconds < reusedSeconds)
      return [renewal.header, made.token];
    const old = tokenOf(request);
    if (old === null) return null;
    const kept = agedClaims(claimsOf(old), renewal.totalAgeSecondsMax);
    if (kept === null) return null;
    let expSeconds = nowSeconds + lifetimeSeconds;
    if (renewal.totalAgeSecondsMax !== null)
      expSeconds = Math.min(expSeconds, kept.bornSeconds + renewal.totalAgeSecondsMax);
    // What would not live longer than the token at hand is of no use.
    if (expSeconds <= facts.expSeconds || expSeconds <= nowSeconds) return null;
    const token = this.#mint(renewal.signer, kept.claims, nowSeconds, expSeconds);
    this.#renewed.set(facts, { token, madeSeconds: nowSeconds });
    this.#observer.tokenMinted('renewal');
    return [renewal.header, token];
  }

  #mint(signer: string, kept: JsonObject, nowSeconds: number, expSeconds: number): string {
    const { issuer, audience } = this.#signers[signer]!;
    return mint(this.#keys.get(signer)!.signing, kept, { nowSeconds, expSeconds, issuer, audience });
  }

  #nowSeconds(): number {
    return Math.floor(this.#clock.nowMs() / 1000);
  }
}

/** Little is left of the token, by its own lifetime; by that of the signer where it has no `iat`. */
export function isDue(
  { share, floorSeconds }: Pick<Renewal, 'share' | 'floorSeconds'>,
  { expSeconds, iatSeconds }: Pick<Facts, 'expSeconds' | 'iatSeconds'>,
  lifetimeSeconds: number,
  nowSeconds: number,
): boolean {
  const lifetime = Number.isFinite(iatSeconds) ? expSeconds - iatSeconds : lifetimeSeconds;
  return expSeconds - nowSeconds <= Math.max(Math.floor(share * lifetime), floorSeconds);
}

/** The claims that a renewed token keeps. With an age to be kept to: when the first of its line was issued; null: unknown. */
function agedClaims(
  claims: JsonObject,
  totalAgeSecondsMax: number | null,
): { readonly claims: JsonObject; readonly bornSeconds: number } | null {
  if (totalAgeSecondsMax === null) return { claims, bornSeconds: 0 };
  const born = claims['orig_iat'] ?? claims['iat'];
  if (typeof born !== 'number' || !Number.isFinite(born)) return null;
  return { claims: { ...claims, orig_iat: born }, bornSeconds: born };
}

/**
 * The token that was verified; null where it did not come in the Authorization field, whose caller would not know the new one, and
 * for an opaque one, which has no claims to keep.
 */
function tokenOf({ facts, fields }: Answered): string | null {
  if (facts?.keyId === introspectedKeyId) return null;
  const at = fields.findIndex((name, index) => index % 2 === 0 && name === 'authorization');
  return at === -1 ? null : fields[at + 1]!.slice('bearer '.length).trimStart();
}

/** Fields without those of two names. */
function without(headers: RawHeaders, one: string | null, other: string | null): RawHeaders {
  if (one === null && other === null) return headers;
  const kept: string[] = [];
  for (let i = 0; i < headers.length; i += 2)
    if (headers[i] !== one && headers[i] !== other) kept.push(headers[i]!, headers[i + 1]!);
  return kept;
}
