// A small seeded generator (sfc32, PractRand-tested, by Chris Doty-Humphrey): same seed, same schedule, on any machine.

export interface Random {
  /** An integer in 0 .. bound-1. */
  readonly below: (bound: number) => number;
}

export function seeded(seed: number): Random {
  let a = 0x9e3779b9;
  let b = 0x243f6a88;
  let c = seed | 0;
  let counter = 1;
  const next = (): number => {
    const t = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + t) | 0;
    return t >>> 0;
  };
  for (let i = 0; i < 15; i++) next();
  return { below: (bound) => (bound <= 1 ? 0 : Math.floor((next() / 0x1_0000_0000) * bound)) };
}
