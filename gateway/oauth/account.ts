/**
 * Whose a login is. An account that a token names, by its subject or by a claim, is named after its issuer as well: `alice`
 * of two issuers are two accounts, `main/alice` and `other/alice`, however many issuers there come to be. A fixed account is
 * called as the configuration writes it, and so can be one of these.
 *
 * Issuers have no slash in their names: the first one ends the issuer's.
 */
import type { Facts } from '../core/facts.ts';
import type { CredentialUse, Vocabulary } from '../route/policy.ts';

export function accountOfToken(issuer: string, name: string): string {
  return `${issuer}/${name}`;
}

/** Whose stored credential a request is served with. Null when its token does not say, or says what is no name. */
export function accountOfRequest(
  { account }: CredentialUse,
  facts: Facts | null,
  { issuers }: Pick<Vocabulary, 'issuers'>,
): string | null {
  if (account.kind === 'fixed') return account.name;
  if (facts === null) return null;
  const name = account.kind === 'subject' ? facts.subject : facts.claims[account.projection];
  return name ? accountOfToken(issuers[facts.issuer] ?? '', name) : null;
}
