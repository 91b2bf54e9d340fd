// The flight table in a model: the production operations and the production driver, unchanged, over a virtual
// thread's door; and the provider, the poller and the credential store that its effects talk to.

import type { Cells } from '../../gateway/flight/cells.ts';
import { complete } from '../../gateway/flight/completion.ts';
import { TICK_MS } from '../../gateway/flight/cells.ts';
import type { Context, Terms } from '../../gateway/flight/context.ts';
import { generationOf, ownerOf, pack, TICK_MASK } from '../../gateway/flight/control-word.ts';
import type { Created, Effect, Hold, Persisted, Polled, Script } from '../../gateway/flight/effects.ts';
import type { Digest } from '../../gateway/flight/binding.ts';
import { FAILURES } from '../../gateway/flight/failure.ts';
import {
  blockAddress,
  controlAddress,
  k1Address,
  k2Address,
  layoutOf,
  nameOf,
  packBlockHead,
  packPayloadRef,
  payloadRefAddress,
  threadAddress,
  type Layout,
} from '../../gateway/flight/layout.ts';
import { operations, type Operations } from '../../gateway/flight/operations.ts';
import type { Payload } from '../../gateway/flight/payload.ts';
import { NO_PARENT, packThread, THREAD_ALIVE } from '../../gateway/flight/reaper.ts';
import type { Door } from '../engine/program.ts';
import { Wake } from '../engine/program.ts';
import type { InvariantId } from '../invariants/ids.ts';

import type { Answer, Plan } from './plan.ts';
import type { VaultWork } from './vault-work.ts';
import { nameOfVault, packRecord, type Protocols, VAULT_WORDS } from './vault.ts';

/** Short terms: what matters is their order, and every tick may cost a waiter a step. */
export const terms: Terms = {
  reserveTicks: 4,
  commitTicks: 4,
  marginTicks: 1,
  retentionTicks: 8,
  coolDownTicks: 2,
};
const FLOW_TICKS = 20;
/** The code with which the modelled provider refuses. */
const REFUSED = 64;

/** The source under test: the shipped one, or one with a deliberate bug in one place. */
export interface Variant {
  readonly name: string;
  readonly operations: Operations;
  /** Changes what the driver asks for, where the bug is not in an operation. */
  readonly tamper?: (effect: Effect, layout: Layout) => Effect;
  /** Invariants that speak of something which this variant's design does not have. */
  readonly without?: readonly InvariantId[];
  readonly protocols?: Protocols;
}

export const shipped: Variant = { name: 'real', operations };

export interface World {
  readonly plan: Plan;
  readonly layout: Layout;
  readonly clock: number;
  /** The first word of the account, behind the clock; there only where the plan has one. */
  readonly vault: number;
  readonly words: number;
  readonly digests: readonly Digest[];
  readonly variant: Variant;
  /** The words that are not 0 at the beginning. */
  readonly initial: ReadonlyMap<number, bigint>;
}

export function worldOf(plan: Plan, variant: Variant): World {
  const layout = layoutOf({
    slots: plan.slots ?? 1,
    threads: Math.max(8, plan.threads.length + 1),
    blocks: plan.blocks ?? 0,
    blockWords: 3,
  });
  const digests = Array.from({ length: plan.keys }, (_, key) => digestOf(plan, key));
  const clock = layout.words;
  const words = clock + 1 + (plan.vault === undefined ? 0 : VAULT_WORDS);
  const empty: World = { plan, layout, clock, vault: clock + 1, words, digests, variant, initial: new Map() };
  return { ...empty, initial: new Map(initialWords(empty)) };
}

function digestOf(plan: Plan, key: number): Digest {
  const low = BigInt(0xb0 + key);
  if (plan.digests === 'collide') return { high: 0x100n, low };
  // The home slot is the low bits of the high half; far apart in the upper bits.
  if (plan.digests === 'probe') return { high: 0x100n + (BigInt(key) << 32n), low };
  return { high: 0x100n + BigInt(key), low };
}

function initialWords(world: World): (readonly [number, bigint])[] {
  const { plan, layout, digests } = world;
  const words: (readonly [number, bigint])[] = [[world.clock, BigInt(plan.now ?? 100)]];
  if (plan.vault?.stored === true) {
    const tokens = { version: 1, refused: false };
    words.push([world.vault, packRecord(tokens, 0n)], [world.vault + 1, 1n]);
  }
  const records = plan.records ?? plan.threads.length;
  for (let t = 0; t < records; t++) {
    words.push([threadAddress(layout, t), packThread(THREAD_ALIVE, plan.parents?.[t] ?? NO_PARENT, 0n)]);
  }
  const presets = plan.presets ?? [];
  let block = 0;
  for (let key = 0; key < plan.keys; key++) {
    const preset = presets.find((one) => one.key === key);
    if (plan.bound !== true && preset === undefined) continue;
    const slot = slotOfKey(world, key);
    const digest = digests[key] as Digest;
    words.push([k1Address(layout, slot), digest.high], [k2Address(layout, slot), digest.low]);
    if (preset === undefined) continue;
    const { state, generation, owner, deadline } = preset;
    words.push([controlAddress(layout, slot), pack(state, generation, owner, deadline)]);
    if (preset.payload !== true) continue;
    const head = blockAddress(layout, block);
    words.push([head, packBlockHead(slot, generation, owner)], [head + 1, 8n]);
    words.push([head + 2, payloadWord(owner, generation)]);
    words.push([payloadRefAddress(layout, slot), packPayloadRef(generation, block)]);
    block++;
  }
  return words;
}

/** Where a key is bound when keys are bound in order. */
export function slotOfKey(world: World, key: number): number {
  return world.plan.digests === undefined || world.plan.digests === 'apart'
    ? Number((world.digests[key] as Digest).high & BigInt(world.layout.slots - 1))
    : key;
}

/** The payload that a leader would get from the provider: one word that tells who and which generation. */
export function payloadWord(owner: number, generation: number): bigint {
  return BigInt((owner + 1) * 0x10000 + (generation & 0xffff));
}

function payloadOf(hold: Hold): Payload {
  return { bytes: 8, words: [payloadWord(ownerOf(hold.word), generationOf(hold.word))] };
}

/** What a leader keeps in its own heap and must never put into shared memory (a device code, a PKCE verifier). */
export const SECRET = 0x5ec2e7n;

export interface Surroundings {
  /** The work of a refresh or a login, in the place of the modelled provider, poller and store. */
  readonly work?: VaultWork;
  readonly provider: readonly Answer[];
  readonly spawn: readonly boolean[];
  readonly persist: readonly ('ok' | 'fail')[];
  readonly losesNotify: boolean;
}

export const calm: Surroundings = { provider: ['ok'], spawn: [true], persist: ['ok'], losesNotify: false };

/** What a word is called. */
export function nameIn(world: World, address: number): string {
  if (address === world.clock) return 'CLK';
  return address > world.clock ? nameOfVault(address - world.vault) : nameOf(world.layout, address);
}

export function contextOf(world: World, me: number): Context {
  return { layout: world.layout, operations: world.variant.operations, me, terms };
}

/** The production door over a virtual thread's door. */
export function cellsOver(door: Door, losesNotify: boolean): Cells {
  return {
    load: door.load,
    store: door.store,
    compareExchange: door.compareExchange,
    add: door.add,
    notify(address) {
      if (losesNotify && door.choose(2, 'notify arrives or is lost') === 1) return 0;
      return door.notify(address);
    },
    waitAsync() {
      throw new Error('an operation of the flight table never waits; the driver asks for waitSlot');
    },
    tick: () => door.tick() & TICK_MASK,
  };
}

/** Runs a script of the driver, its effects performed by the model. */
export function drive<T>(world: World, door: Door, surroundings: Surroundings, script: Script<T>): T {
  const cells = cellsOver(door, surroundings.losesNotify);
  let answer: unknown;
  for (;;) {
    const next = script.next(answer);
    if (next.done === true) return next.value;
    const { tamper } = world.variant;
    const effect = tamper === undefined ? next.value : tamper(next.value, world.layout);
    answer = perform(world, door, cells, surroundings, effect);
  }
}

function pick<T>(door: Door, alternatives: readonly T[], what: string): T {
  const at = alternatives.length > 1 ? door.choose(alternatives.length, what) : 0;
  return alternatives[at] as T;
}

function perform(world: World, door: Door, cells: Cells, around: Surroundings, effect: Effect): unknown {
  switch (effect.type) {
    case 'operate':
      door.within(effect.name);
      return effect.run(cells);
    case 'count':
      return undefined;
    case 'waitSlot': {
      door.within('waitSlot');
      const ticks = Math.ceil(effect.timeoutMs / TICK_MS);
      // A wait of no time is a timer that fires first; the race with a notify is the clock's to find.
      if (ticks === 0) return 'timed-out';
      const timer = world.plan.untimed === true ? -1 : ticks;
      return door.wait(effect.address, effect.word, timer) === Wake.timedOut ? 'timed-out' : 'woken';
    }
    case 'create':
      door.within('create');
      return around.work?.create(effect) ?? create(door, around, effect);
    case 'discard':
      around.work?.discard();
      door.note({ what: 'discard', ...about(effect.hold) });
      return undefined;
    case 'spawn': {
      door.within('spawn');
      const began = pick(door, around.spawn, 'poller starts or fails');
      if (began) door.note({ what: 'spawn', ...about(effect.hold) });
      // Its leader sleeps until the work is done, on the same thread.
      if (began && around.work?.endsItself === true) follow(world, door, around, effect.hold);
      return began;
    }
    case 'poll':
      return { kind: 'approved' } satisfies Polled;
    case 'persist': {
      door.within('persist');
      if (around.work !== undefined) return around.work.persist(effect.hold);
      if (pick(door, around.persist, 'store accepts or fails') === 'fail') {
        return { kind: 'failed', code: FAILURES['persist-failed'], coolDownTicks: 2 } satisfies Persisted;
      }
      door.note({ what: 'persist', ...about(effect.hold) });
      return { kind: 'persisted' } satisfies Persisted;
    }
  }
}

/** Follows a flow to its end, as its leader. */
export function follow(world: World, door: Door, around: Surroundings, hold: Hold): void {
  const completion = drive(world, door, around, complete(contextOf(world, ownerOf(hold.word)), hold, 0));
  door.note({ what: `complete:${completion.kind}`, ...about(hold) });
}

function about(hold: Hold): { slot: number; fence: number } {
  return { slot: hold.slot, fence: generationOf(hold.word) };
}

function create(door: Door, around: Surroundings, effect: Extract<Effect, { type: 'create' }>): Created {
  const { hold } = effect;
  if (effect.slice === 0) door.note({ what: 'create', ...about(hold) });
  const answer = pick(door, around.provider, 'provider answers');
  if (answer === 'silent') {
    door.sleep(Math.ceil(effect.timeoutMs / TICK_MS));
    if (!effect.last) return { kind: 'running' };
    return { kind: 'failed', code: FAILURES['provider-timeout'], coolDownTicks: terms.coolDownTicks };
  }
  if (answer === 'fail') return { kind: 'failed', code: REFUSED, coolDownTicks: terms.coolDownTicks };
  if (answer === 'slow') door.sleep(terms.reserveTicks + 2);
  if (answer === 'oversized') {
    return { kind: 'created', payload: { bytes: 16, words: [1n, 2n] }, flowTicks: FLOW_TICKS };
  }
  return { kind: 'created', payload: payloadOf(hold), flowTicks: FLOW_TICKS };
}
