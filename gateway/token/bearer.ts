/**
 * Credentials of a request: exactly one `Authorization: Bearer`, and nothing else counts.
 *
 * Called by the listener for every request. The form of the token itself is judged elsewhere (`judge.ts`): here only what
 * decides whether there is one token, so that a look-up in the facts cache needs no scan of it.
 */
import { refusals } from '../core/errors.ts';
import type { Refusal } from '../core/errors.ts';

const scheme = 'Bearer ';

/**
 * Takes the token out of the Authorization field.
 *
 * `value` is the first field's value, null when there is none; `count` is how many such fields came.
 *
 * Errors: `credentials_missing` (none, or another scheme), `credentials_ambiguous` (several fields, or several tokens in
 * one), `credentials_malformed` (spaces within).
 * Source: RFC 6750 section 2.1; RFC 9110 section 11.4: the scheme is case-insensitive, then one or more SP.
 */
export function readBearer(value: string | null, count: number): string | Refusal {
  if (value === null || count === 0) return refusals.credentials_missing;
  if (count > 1) return refusals.credentials_ambiguous;
  if (!value.startsWith(scheme) && value.slice(0, scheme.length).toLowerCase() !== 'bearer ') {
    return refusals.credentials_missing;
  }
  let start = scheme.length;
  while (value.charCodeAt(start) === 0x20) start += 1;
  const token = value.slice(start);
  if (token.length === 0) return refusals.credentials_missing;
  // A field that an intermediary joined of two reads `Bearer a, Bearer b`.
  if (token.includes(',')) return refusals.credentials_ambiguous;
  if (token.includes(' ') || token.includes('\t')) return refusals.credentials_malformed;
  return token;
}
