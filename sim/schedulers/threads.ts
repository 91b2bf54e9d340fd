// Sets of threads as bit masks.

export function threadCount(mask: number): number {
  let rest = mask - ((mask >>> 1) & 0x55555555);
  rest = (rest & 0x33333333) + ((rest >>> 2) & 0x33333333);
  return Math.imul((rest + (rest >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

/** The thread at the given place of a set, counted from the lowest. */
export function nthThread(mask: number, place: number): number {
  let rest = mask;
  for (let skipped = 0; skipped < place; skipped++) rest &= rest - 1;
  return 31 - Math.clz32(rest & -rest);
}
