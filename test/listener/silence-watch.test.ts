import { describe, expect, it } from 'vitest';
import { SilenceWatch, type Watched } from '../../gateway/listener/silence-watch.ts';

class Caller implements Watched {
  heardMs = 0;
  givenUp = 0;
  giveUp(): void {
    this.givenUp += 1;
  }
}

function watching(silenceMsMax: number): {
  watch: SilenceWatch;
  move: (ms: number) => void;
  at: (ms: number) => void;
} {
  let nowMs = 0;
  const watch = new SilenceWatch(silenceMsMax, { nowMs: () => nowMs, monotonicMs: () => nowMs });
  return {
    watch,
    move: (ms) => {
      nowMs = ms;
    },
    at: (ms) => {
      nowMs = ms;
      watch.look();
      // The first look after a while is one that came late.
      watch.look();
    },
  };
}

describe('a caller', () => {
  it('is given up once, when the limit has passed since it was heard', () => {
    const { watch, at } = watching(1000);
    const caller = new Caller();
    watch.add(caller);
    at(999);
    expect(caller.givenUp).toBe(0);
    caller.heardMs = 999;
    at(1998);
    expect(caller.givenUp).toBe(0);
    at(1999);
    at(5000);
    expect(caller.givenUp).toBe(1);
  });

  it('is not, while it is not its turn, or when it is done', () => {
    const { watch, at } = watching(1000);
    const [held, done] = [new Caller(), new Caller()];
    held.heardMs = Number.POSITIVE_INFINITY;
    watch.add(held);
    watch.add(done);
    watch.delete(done);
    at(1e9);
    expect([held.givenUp, done.givenUp]).toEqual([0, 0]);
  });

  it('is not, when it is this thread that stood still', () => {
    const { watch, move } = watching(1000);
    const caller = new Caller();
    watch.add(caller);
    move(1500);
    watch.look();
    expect(caller.givenUp).toBe(0);
    watch.look();
    expect(caller.givenUp).toBe(1);
  });

  it('never is where there is no limit', () => {
    const { watch, at } = watching(0);
    const caller = new Caller();
    watch.add(caller);
    at(1e12);
    expect(caller.givenUp).toBe(0);
  });
});
