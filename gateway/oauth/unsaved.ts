/**
 * Tokens that a provider granted and the store did not take: the only good ones from then on, where refresh tokens are
 * rotated. All threads remember them, so that whoever leads the next refresh stores these instead of sending a refresh
 * token that has been used. Nobody uses them before they are stored.
 */
import type { CredentialId, GrantedTokens } from './credential.ts';
import type { Fence } from './protocol/fence.ts';

/** Plain data, for it crosses threads. */
export interface UnsavedTokens {
  readonly id: CredentialId;
  readonly grant: GrantedTokens;
  /** The fence of the record whose tokens were renewed: with another record these mean nothing. */
  readonly before: Fence;
}

/** More would be a store that has failed for long; the oldest are given up. */
const entriesMax = 1024;

export class Unsaved {
  readonly #kept = new Map<string, UnsavedTokens>();

  keep(tokens: UnsavedTokens): void {
    const key = keyOf(tokens.id);
    this.#kept.delete(key);
    this.#kept.set(key, tokens);
    if (this.#kept.size <= entriesMax) return;
    const [oldest] = this.#kept.keys();
    if (oldest !== undefined) this.#kept.delete(oldest);
  }

  /** The tokens that belong in the place of a record written under this fence; null when there are none. */
  find(id: CredentialId, before: Fence): GrantedTokens | null {
    const kept = this.#kept.get(keyOf(id));
    if (kept === undefined) return null;
    if (kept.before === before) return kept.grant;
    this.#kept.delete(keyOf(id));
    return null;
  }
}

const keyOf = ({ provider, account }: CredentialId): string => `${provider.length} ${provider}${account}`;
