// A virtual thread is an ordinary synchronous function over a Door. It is suspended by recording and re-executing:
// the function is called again, operations that already happened return their recorded results, and the first new
// one ends the call by throwing a private object. What the thread does next is therefore a pure function of the
// results it has seen, so each thread is unfolded, lazily, into a tree: a node is an operation about to happen, an
// edge is a result. A path that was walked once is never executed again; stepping back is following a pointer.

import type { ValueTable } from './values.ts';

/** What a thread may ask of the machine. The first five are the shared-memory operations; the rest is the model's. */
export const Kind = {
  load: 0,
  store: 1,
  compareExchange: 2,
  add: 3,
  notify: 4,
  wait: 5,
  sleep: 6,
  choose: 7,
  call: 8,
  reply: 9,
  awaitDeath: 10,
  end: 11,
} as const;
export type Kind = (typeof Kind)[keyof typeof Kind];

export const kindNames = Object.keys(Kind);

/** How a wait ended. The numbers are the results stored in the tree. */
export const Wake = { woken: 0, notEqual: 1, timedOut: 2 } as const;
export type Wake = (typeof Wake)[keyof typeof Wake];

/** Something that a thread did locally (created at the provider, returned a flow): read by the invariants. */
export interface Note {
  readonly what: string;
  readonly key?: string;
  readonly fence?: number;
  readonly value?: string;
  readonly slot?: number;
  readonly code?: number;
}

/** The only thing that a virtual thread can reach. Addresses are word indexes, times are ticks. */
export interface Door {
  readonly load: (address: number) => bigint;
  readonly store: (address: number, value: bigint) => void;
  readonly compareExchange: (address: number, expected: bigint, next: bigint) => bigint;
  readonly add: (address: number, delta: bigint) => bigint;
  readonly notify: (address: number) => number;
  readonly tick: () => number;
  /** Sleeps while the word is `expected`; without `ticksMax` only a notify ends it. */
  readonly wait: (address: number, expected: bigint, ticksMax?: number) => Wake;
  readonly sleep: (ticks: number) => void;
  /** A decision that is not the thread's own: a fault, the answer of a provider. Every alternative is explored. */
  readonly choose: (alternatives: number, what: string) => number;
  /** Marks the beginning and the end of a call whose real-time order matters (linearizability). */
  readonly call: (note: Note) => void;
  readonly reply: (note: Note) => void;
  /** Blocks until the given thread has crashed. */
  readonly awaitDeath: (thread: number) => void;
  readonly note: (note: Note) => void;
  /** Names the protocol operation under way; part of the stable name of each step. */
  readonly within: (operation: string) => void;
}

export type Body = (door: Door) => unknown;

export interface Node {
  readonly kind: Kind;
  readonly address: number;
  /** store: value · compareExchange: expected · add: delta · wait: expected (numbers of values) · choose: count. */
  readonly x: number;
  /** compareExchange: next · wait, sleep: ticks, -1 for ever. */
  readonly y: number;
  readonly site: string;
  /** Local effects since the previous operation; they belong to the step that led here. */
  readonly notes: readonly Note[];
  readonly parent: Node | undefined;
  readonly result: number;
  readonly length: number;
  /** kind `end` only. */
  readonly outcome: Outcome | undefined;
  lastResult: number;
  lastChild: Node | undefined;
  /** All children, as soon as there are two. */
  children: Map<number, Node> | undefined;
}

export interface Outcome {
  readonly value?: unknown;
  readonly error?: unknown;
}

/** A thread behaved differently on the same results: it reads something that is not behind the Door. */
export class Nondeterminism extends Error {
  override readonly name = 'Nondeterminism';
}

// One object for every suspension: throwing a fresh Error costs a stack trace each time.
const SUSPEND = Object.freeze({ suspended: true });

interface Pending {
  readonly kind: Kind;
  readonly address: number;
  readonly x: number;
  readonly y: number;
  readonly site: string;
}

const END: Pending = { kind: Kind.end, address: -1, x: 0, y: 0, site: 'end' };
const NO_NOTES: readonly Note[] = [];

export interface ProgramOptions {
  readonly values: ValueTable;
  readonly clock: number;
  readonly nameOf: (address: number) => string;
}

export interface Program {
  readonly root: () => Node;
  /** The operation that follows `node` when it returned `result`. Cost: a table look-up, or one re-execution. */
  readonly after: (node: Node, result: number) => Node;
  readonly size: () => number;
  /** Drops the tree, which can be unfolded again. Only between executions. */
  readonly forget: () => void;
}

export function createProgram(name: string, body: Body, options: ProgramOptions): Program {
  const { values, clock, nameOf } = options;
  const path: Node[] = [];
  const results: number[] = [];
  let length = 0;
  let cursor = 0;
  let notes: Note[] = [];
  let pending: Pending | undefined;
  let strayed: string | undefined;
  let operation = '';
  let nodes = 0;

  function ask(kind: Kind, address: number, x: number, y: number, what?: string): number {
    const at = cursor++;
    if (pending !== undefined || strayed !== undefined) throw SUSPEND; // a `finally` that acts after the suspension
    const known = path[at];
    if (at < length && known !== undefined) {
      if (known.kind !== kind || known.address !== address || known.x !== x || known.y !== y) {
        strayed = `step ${at + 1} was ${known.site}, and is ${kindNames[kind]} ${what ?? nameOf(address)} when repeated`;
        throw SUSPEND;
      }
      if (notes.length > 0) notes = [];
      return results[at] ?? 0;
    }
    pending = {
      kind,
      address,
      x,
      y,
      site: `${operation === '' ? '' : `${operation}.`}${kindNames[kind]} ${what ?? nameOf(address)}`,
    };
    throw SUSPEND;
  }

  const door: Door = {
    load: (address) => values.word(ask(Kind.load, address, 0, 0)),
    store(address, value) {
      ask(Kind.store, address, values.id(BigInt.asIntN(64, value)), 0);
    },
    compareExchange(address, expected, next) {
      const x = values.id(BigInt.asIntN(64, expected));
      return values.word(ask(Kind.compareExchange, address, x, values.id(BigInt.asIntN(64, next))));
    },
    add(address, delta) {
      return values.word(ask(Kind.add, address, values.id(delta), 0));
    },
    notify: (address) => ask(Kind.notify, address, 0, 0),
    tick: () => Number(values.word(ask(Kind.load, clock, 0, 0))),
    wait(address, expected, ticksMax = -1) {
      return ask(Kind.wait, address, values.id(BigInt.asIntN(64, expected)), ticksMax) as Wake;
    },
    sleep(ticks) {
      ask(Kind.sleep, -1, 0, ticks, `${ticks} ticks`);
    },
    choose: (alternatives, what) => ask(Kind.choose, -1, alternatives, 0, what),
    call(note) {
      ask(Kind.call, -1, 0, 0, note.what);
      notes.push(note);
    },
    reply(note) {
      ask(Kind.reply, -1, 0, 0, note.what);
      notes.push(note);
    },
    awaitDeath(thread) {
      ask(Kind.awaitDeath, thread, 0, 0, `thread ${thread}`);
    },
    note(note) {
      notes.push(note);
    },
    within(next) {
      operation = next;
    },
  };

  /** Executes the body on the results of the path, up to the operation that follows them or to its end. */
  function execute(): Outcome | undefined {
    cursor = 0;
    notes = [];
    pending = undefined;
    strayed = undefined;
    operation = '';
    let outcome: Outcome | undefined;
    try {
      outcome = { value: body(door) };
    } catch (error) {
      if (error !== SUSPEND) outcome = { error };
    }
    if (strayed !== undefined) throw new Nondeterminism(`thread ${name}: ${strayed as string}`);
    // A body that caught the suspension and went on is still at the operation that it was suspended at.
    return pending === undefined ? (outcome ?? {}) : undefined;
  }

  function unfold(parent: Node | undefined, result: number): Node {
    length = parent === undefined ? 0 : parent.length + 1;
    let node = parent;
    let from = result;
    for (let at = length - 1; at >= 0 && node !== undefined; at--) {
      path[at] = node;
      results[at] = from;
      from = node.result;
      node = node.parent;
    }
    const outcome = execute();
    const next: Pending = pending ?? END;
    const said = notes;
    // Every new step is executed twice: what differs between two runs on equal results is not under our control.
    execute();
    const again: Pending = pending ?? END;
    if (next.site !== again.site || next.x !== again.x || next.y !== again.y || !sameNotes(said, notes)) {
      throw new Nondeterminism(`thread ${name}: step ${length + 1} is ${next.site}, then ${again.site}`);
    }
    nodes++;
    const { kind, address, x, y, site } = next;
    return {
      kind,
      address,
      x,
      y,
      site,
      notes: said.length === 0 ? NO_NOTES : said,
      parent,
      result,
      length,
      outcome,
      lastResult: -1,
      lastChild: undefined,
      children: undefined,
    };
  }

  let root: Node | undefined;
  return {
    root: () => (root ??= unfold(undefined, 0)),
    after(node, result) {
      if (node.lastResult === result && node.lastChild !== undefined) return node.lastChild;
      let child = node.children?.get(result);
      if (child === undefined) {
        child = unfold(node, result);
        // Most nodes have one child only, and need no table for it.
        if (node.lastChild !== undefined) {
          node.children ??= new Map([[node.lastResult, node.lastChild]]);
          node.children.set(result, child);
        }
      }
      node.lastResult = result;
      node.lastChild = child;
      return child;
    },
    size: () => nodes,
    forget() {
      root = undefined;
      nodes = 0;
    },
  };
}

function sameNotes(one: readonly Note[], other: readonly Note[]): boolean {
  return (
    one.length === other.length &&
    one.every((note, at) => {
      const twin = other[at];
      return twin !== undefined && JSON.stringify(note) === JSON.stringify(twin);
    })
  );
}
