/**
 * Base64url as RFC 7515 section 2 writes it: no padding, no other alphabet, no stray bits in the last character.
 * Node's decoder forgives all of that, so what it decoded is encoded again and compared.
 */

/**
 * Decodes a segment into `target` and returns how many bytes it has, or -1 when the segment is not canonical or does not
 * fit. An empty segment has 0 bytes.
 */
export function decodeInto(target: Buffer, segment: string): number {
  // What does not fit would be cut off, and then it would not be the same again.
  const length = target.write(segment, 0, 'base64url');
  return target.toString('base64url', 0, length) === segment ? length : -1;
}
