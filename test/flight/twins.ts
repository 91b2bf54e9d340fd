/** Two threads of one table, in one thread: the memory cannot tell. And a provider that answers when told to. */
import type { StartOptions } from '../../gateway/flight/answer.ts';
import { layoutOf } from '../../gateway/flight/layout.ts';
import { enrol, NO_PARENT } from '../../gateway/flight/reaper.ts';
import { createBuffer, RealCells } from '../../gateway/flight/real-cells.ts';
import { FlightTable } from '../../gateway/flight/table.ts';
import type { Handle } from '../../gateway/flight/table.ts';
import type { Call, Creation, Work } from '../../gateway/flight/work.ts';
import { HandTimers } from './hand-timers.ts';
import { TERMS } from './play.ts';

export const SHAPE = { slots: 16, threads: 8, blocks: 8, blockWords: 32 };
export const KEY = { provider: 'example', account: 'alice' };
export const OPTIONS: StartOptions = { until: 'published', payload: true, waitMs: 10_000, leases: 1 };

export interface Twins {
  readonly timers: HandTimers;
  readonly buffer: SharedArrayBuffer;
  readonly first: FlightTable;
  readonly second: FlightTable;
  /** Opens the table in one more thread. */
  open(handle: Handle): FlightTable;
}

export function twins(): Twins {
  const timers = new HandTimers();
  const buffer = createBuffer(SHAPE, 0);
  const secret = new Uint8Array(32).fill(3);
  const cells = (): RealCells => new RealCells(buffer, () => timers.nowMs);
  const open = (handle: Handle): FlightTable => new FlightTable(handle, timers, cells());
  const sit = (parent: number): FlightTable =>
    open({ buffer, secret, terms: TERMS, seat: enrol(cells(), layoutOf(SHAPE), parent)! });
  return { timers, buffer, first: sit(NO_PARENT), second: sit(0), open };
}

export interface Double {
  readonly work: Work;
  readonly calls: string[];
  release(creation?: Partial<Creation>): void;
  refuse(error: Error): void;
  call: Call | null;
}

/** Work whose provider answers when the test says so. */
export function provider(more: Partial<Work> = {}): Double {
  let resolve: (creation: Creation) => void = () => {};
  let reject: (error: Error) => void = () => {};
  const double: Double = {
    calls: [],
    call: null,
    release: (creation) =>
      resolve({ payload: Buffer.from('WXYZ-1234'), flowMs: 900_000, pollMs: 5000, ...creation }),
    refuse: (error) => reject(error),
    work: {
      create: (call) => {
        double.calls.push('create');
        double.call = call;
        return new Promise((yes, no) => {
          resolve = yes;
          reject = no;
        });
      },
      poll: () => Promise.resolve({ kind: 'pending', waitMs: 5000 }),
      persist: () => Promise.resolve(void double.calls.push('persist')),
      discard: () => void double.calls.push('discard'),
      ended: (completion) => void double.calls.push(completion.kind),
      ...more,
    },
  };
  return double;
}
