/**
 * The request target: split into path and query, and judged. Called by the listener for every request, before matching.
 *
 * A target passes only in its one canonical form, so that what is matched, decided and forwarded is one string and no
 * server behind us can read another path out of it. Nothing is rewritten here: what is not canonical is refused.
 */
import { refusals } from '../core/errors.ts';
import type { Denial } from '../core/verdict.ts';
import type { PathAllowance } from './source.ts';

/** Odd forms that a route may accept (`allow_in_path`). Dot segments, backslashes and controls it never may. */
export const pathOddity = { encodedSlash: 1, semicolon: 2, emptySegment: 4 } as const;

export const allowanceBits: Readonly<Record<PathAllowance, number>> = {
  encoded_slash: pathOddity.encodedSlash,
  semicolon: pathOddity.semicolon,
  empty_segment: pathOddity.emptySegment,
};

/** The names of `pathOddity` bits, as the configuration spells them. */
export function allowancesIn(bits: number): readonly PathAllowance[] {
  return (Object.keys(allowanceBits) as PathAllowance[]).filter((name) => (bits & allowanceBits[name]) !== 0);
}

export interface Target {
  /** The target up to its query, raw. */
  readonly path: string;
  /** `pathOddity` bits; a route that does not allow all of them answers `path_not_canonical`. */
  readonly oddities: number;
}

/** Segments without escapes that begin with no dot: nearly every path there is, settled by one scan. */
const plainPath = /^(?:\/[\w~!$&'()*+,=:@|-][\w~!$&'()*+,=:@|.-]*)+\/?$/;
const visible = /^[\x21\x22\x24-\x7e]*$/;

const brokenEscape = /%(?![0-9A-Fa-f]{2})/;
/** Backslashes in either form, encoded dots and encoded controls: no honest client writes them into a path. */
const neverAllowed = /\\|%5c|%2e|%[01][0-9a-f]|%7f/i;
/** Servers behind us may take `%2f` for a slash and drop what follows a `;`: a dot segment is one in their eyes too. */
const dotSegment = /(?:\/|%2f)\.{1,2}(?:\/|%2f|;|%3b|$)/i;
const emptySegment = /(?:\/|%2f)(?=\/|%2f|;|%3b)/i;

/**
 * Judges a raw request target in origin form.
 *
 * Order: length, form, characters, canonical form. Cost: one scan for a plain path; nothing is allocated for a denial.
 * Source: RFC 9112 section 3.2.1, RFC 3986 sections 3.3 and 6.2.2.
 */
export function readTarget(target: string, bytesMax: number): Target | Denial {
  if (target.length > bytesMax) return refusals.target_too_long;
  const queryAt = target.indexOf('?');
  const path = queryAt === -1 ? target : target.slice(0, queryAt);
  if (queryAt !== -1 && !visible.test(target.slice(queryAt))) return refusals.target_invalid;
  if (path === '/' || plainPath.test(path)) return { path, oddities: 0 };
  return readOddPath(path);
}

function readOddPath(path: string): Target | Denial {
  // Absolute form, authority form and `*` end here: no authority of a target is ever used.
  if (!path.startsWith('/') || !visible.test(path) || brokenEscape.test(path)) return refusals.target_invalid;
  if (neverAllowed.test(path) || dotSegment.test(path)) return refusals.path_not_canonical;
  if (!isUtf8(path)) return refusals.target_invalid;
  return { path, oddities: odditiesOf(path) };
}

function odditiesOf(path: string): number {
  let oddities = 0;
  if (/%2f/i.test(path)) oddities |= pathOddity.encodedSlash;
  if (path.includes(';')) oddities |= pathOddity.semicolon;
  if (emptySegment.test(path)) oddities |= pathOddity.emptySegment;
  return oddities;
}

/** Escapes must spell valid UTF-8: an overlong `%c0%ae` is a dot to a careless decoder. */
function isUtf8(path: string): boolean {
  if (!/%[89a-f]/i.test(path)) return true;
  try {
    decodeURIComponent(path);
    return true;
  } catch {
    return false;
  }
}
