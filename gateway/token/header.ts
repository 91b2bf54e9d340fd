/**
 * The JOSE header, judged by itself: which algorithm, which key, what kind of token. Issuers write few different headers,
 * so what one says is remembered by its segment; nothing in it depends on a configuration.
 */
import { algorithmNamed } from './algorithms.ts';
import type { SignatureAlgorithm } from './algorithms.ts';
import { decodeInto } from './base64url.ts';
import { parseObject } from './json.ts';

export interface TokenHeader {
  readonly algorithm: SignatureAlgorithm;
  readonly kid: string | null;
  /** Lower case, `application/` removed (RFC 7515 section 4.1.9). */
  readonly typ: string | null;
}

export type HeaderFault = 'token_malformed' | 'token_header_invalid' | 'token_algorithm';

/** Longer ones are read each time, so that no one can fill the memory with them. */
const rememberedLengthMax = 1024;
const rememberedMax = 256;
const remembered = new Map<string, TokenHeader>();
const scratch = Buffer.allocUnsafeSlow(65_536);

/** RFC 7515 section 4.1.9: a value without `/` means `application/` before it; types are compared without case. */
export function normalTyp(typ: string): string {
  const lower = typ.toLowerCase();
  return lower.startsWith('application/') && !lower.includes('/', 12) ? lower.slice(12) : lower;
}

function parseHeader(segment: string): TokenHeader | HeaderFault {
  const length = decodeInto(scratch, segment);
  if (length <= 0) return 'token_malformed';
  const header = parseObject(scratch.subarray(0, length));
  if (header === null) return 'token_header_invalid';
  // Nothing critical is understood (RFC 7515 section 4.1.11), and unencoded payloads are not tokens (RFC 7797 section 7).
  if (Object.hasOwn(header, 'crit') || Object.hasOwn(header, 'b64')) return 'token_header_invalid';
  const alg = Object.hasOwn(header, 'alg') ? header['alg'] : null;
  const kid = Object.hasOwn(header, 'kid') ? header['kid'] : null;
  const typ = Object.hasOwn(header, 'typ') ? header['typ'] : null;
  if (typeof alg !== 'string') return 'token_header_invalid';
  if (typeof kid !== 'string' && Object.hasOwn(header, 'kid')) return 'token_header_invalid';
  if (typeof typ !== 'string' && Object.hasOwn(header, 'typ')) return 'token_header_invalid';
  const algorithm = algorithmNamed(alg);
  if (algorithm === undefined) return 'token_algorithm';
  return { algorithm, kid: kid as string | null, typ: typeof typ === 'string' ? normalTyp(typ) : null };
}

/** Reads the first segment of a token. `jwk`, `jku`, `x5u` and `x5c` are not looked at: they lead nowhere. */
export function readHeader(segment: string): TokenHeader | HeaderFault {
  const known = remembered.get(segment);
  if (known !== undefined) return known;
  const header = parseHeader(segment);
  if (typeof header !== 'string' && segment.length <= rememberedLengthMax) {
    // Forged headers may push out good ones, which are then read again at the cost of a few microseconds.
    if (remembered.size >= rememberedMax) remembered.clear();
    // A copy: a slice would keep its whole token alive. Canonical base64url is ASCII, so latin1 keeps every character.
    remembered.set(Buffer.from(segment, 'latin1').toString('latin1'), header);
  }
  return header;
}
