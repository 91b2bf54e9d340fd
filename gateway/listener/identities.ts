/** Who is behind a request, as far as the access log says it: no claim, and nothing that leads back to one. */
import type { Facts } from '../core/facts.ts';
import { pseudonym, type PseudonymKey } from '../log/pseudonym.ts';

export interface Identity {
  readonly issuer: string | null;
  readonly kid: string | null;
  readonly subHash: string | null;
}

const nobody: Identity = { issuer: null, kid: null, subHash: null };
/** Issuers choose them. */
const kidLengthMax = 128;

export class Identities {
  readonly #key: PseudonymKey;
  readonly #kids: () => ReadonlyMap<number, string>;

  /** `kids`: by key id, as the key sets are now. */
  constructor(key: PseudonymKey, kids: () => ReadonlyMap<number, string>) {
    this.#key = key;
    this.#kids = kids;
  }

  /** `issuers`: the names that the facts mean. */
  of(facts: Facts | null, issuers: readonly string[]): Identity {
    if (facts === null) return nobody;
    const issuer = issuers[facts.issuer] ?? null;
    const kid = this.#kids().get(facts.keyId)?.slice(0, kidLengthMax) ?? null;
    const { subject } = facts;
    const subHash = subject === null || issuer === null ? null : pseudonym(this.#key, issuer, subject);
    return { issuer, kid, subHash };
  }
}
