/**
 * Bit sets over small vocabularies: scopes, audiences, token types.
 *
 * A token carries a dense `Mask`, one 32-bit word per 32 names. A route carries a sparse `Requirement`, only the
 * words in which it names something: a test then costs what the route asks for, not what the configuration knows.
 */

/** Dense: word i holds the names 32i .. 32i+31. At least one word. */
export type Mask = readonly number[];

/** Sparse: pairs of word index and bits, flattened. Empty asks for nothing. */
export type Requirement = readonly number[];

/** How many words a mask over `size` names has. */
export function wordsOf(size: number): number {
  return Math.max(1, Math.ceil(size / 32));
}

export function maskOf(bits: Iterable<number>, size: number): number[] {
  const mask = Array.from({ length: wordsOf(size) }, () => 0);
  for (const bit of bits) mask[bit >>> 5]! |= 1 << (bit & 31);
  return mask;
}

export function requirementOf(bits: Iterable<number>): Requirement {
  const words = new Map<number, number>();
  for (const bit of bits) words.set(bit >>> 5, (words.get(bit >>> 5) ?? 0) | (1 << (bit & 31)));
  return [...words].toSorted(([a], [b]) => a - b).flat();
}

/** Is every bit of `requirement` set in `mask`? */
export function hasAll(mask: Mask, requirement: Requirement): boolean {
  for (let i = 0; i < requirement.length; i += 2) {
    const bits = requirement[i + 1]!;
    if ((mask[requirement[i]!]! & bits) !== bits) return false;
  }
  return true;
}

/** Is at least one bit of `requirement` set in `mask`? An empty requirement is met by nobody. */
export function hasAny(mask: Mask, requirement: Requirement): boolean {
  for (let i = 0; i < requirement.length; i += 2) {
    if ((mask[requirement[i]!]! & requirement[i + 1]!) !== 0) return true;
  }
  return false;
}
