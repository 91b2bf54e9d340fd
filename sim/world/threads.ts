// One virtual thread for each line of a plan.

import { generationOf, stateName, stateOf, SUCCESS } from '../../gateway/flight/control-word.ts';
import { abort, sweep, view } from '../../gateway/flight/expiry.ts';
import { controlAddress } from '../../gateway/flight/layout.ts';
import type { Outcome, Start } from '../../gateway/flight/outcome.ts';
import { NO_PARENT } from '../../gateway/flight/reaper.ts';
import { start } from '../../gateway/flight/start.ts';
import type { Model, Thread } from '../engine/model.ts';
import type { Body, Door, Note } from '../engine/program.ts';
import type { Plan, StartPlan, ThreadPlan, UsePlan } from './plan.ts';
import { LoginWork, RefreshWork, type VaultWork } from './vault-work.ts';
import { shippedProtocols, Vault, type VaultSurroundings } from './vault.ts';
import {
  calm,
  cellsOver,
  contextOf,
  drive,
  follow,
  nameIn,
  slotOfKey,
  worldOf,
  type Surroundings,
  type Variant,
  type World,
} from './world.ts';

/** The model of a plan, with the last thread for the liveness stage: a fresh start on every key must win. */
export function modelOf(plan: Plan, variant: Variant): { model: Model; world: World } {
  const world = worldOf(plan, variant);
  const threads: Thread[] = plan.threads.map((thread, index) => ({
    name: `${thread.does}${index}`,
    body: bodyOf(world, thread, index),
  }));
  threads.push({ name: 'probe', body: probe(world, plan.threads.length) });
  return {
    world,
    model: {
      threads,
      words: world.words,
      clock: world.clock,
      initial: [...world.initial],
      nameOf: (address) => nameIn(world, address),
      crash: plan.crash,
      hasty: plan.hasty,
      stageTwoFrom: plan.threads.length,
    },
  };
}

function bodyOf(world: World, plan: ThreadPlan, me: number): Body {
  const { layout } = world;
  const { operations } = world.variant;
  switch (plan.does) {
    case 'start':
      return (door) => {
        for (let time = 0; time < (plan.times ?? 1); time++) startOnce(world, door, plan, me);
      };
    case 'cancel':
      return (door) => {
        const slot = slotOfKey(world, plan.key);
        mark(world, door, 'call', { what: 'cancel', key: keyName(plan.key), fence: plan.generation });
        const answer = drive(world, door, calm, abort(contextOf(world, me), slot, plan.generation));
        const state = 'word' in answer ? stateName(answer.word) : 'unknown';
        mark(world, door, 'reply', {
          what: `cancel:${answer.kind}`,
          key: keyName(plan.key),
          slot,
          fence: plan.generation,
          value: state,
        });
        if (plan.key === 1) vaultOf(world, door)?.cancel(plan.generation);
      };
    case 'use':
      return (door) => {
        for (let time = 0; time < (plan.times ?? 1); time++) use(world, door, plan, me);
      };
    case 'login':
      return (door) => {
        const vault = vaultOf(world, door, { store: plan.store ?? ['ok'] });
        const work = vault === undefined ? undefined : new LoginWork(vault);
        startOnce(world, door, { does: 'start', key: 1, follow: true }, me, work);
      };
    case 'view':
      return (door) => {
        const slot = slotOfKey(world, plan.key);
        const seen = drive(world, door, calm, view(contextOf(world, me), slot, plan.generation));
        const value = seen.kind === 'seen' ? stateName(seen.word) : 'unknown';
        door.note({ what: 'view', key: keyName(plan.key), slot, fence: plan.generation, value });
      };
    case 'clock':
      return (door) => {
        for (const tick of plan.to) door.store(world.clock, BigInt(tick));
      };
    case 'reap':
      return (door) => {
        if (plan.gone !== true) door.awaitDeath(plan.thread);
        door.within('reap');
        operations.reap(cellsOver(door, false), layout, { thread: plan.thread, incarnation: 0n });
        door.note({ what: 'reaped', slot: plan.thread });
      };
    case 'enrol':
      return (door) => {
        door.within('enrol');
        const place = operations.enrol(cellsOver(door, false), layout, NO_PARENT);
        if (place === null) return;
        door.note({ what: 'enrolled', slot: place.thread });
        startOnce(world, door, { does: 'start', key: plan.key }, place.thread);
      };
    case 'sweep':
      return (door) => {
        drive(world, door, calm, sweep(contextOf(world, me)));
      };
    case 'complete':
      return (door) => {
        const slot = slotOfKey(world, plan.key);
        const around = { ...calm, persist: plan.persist ?? calm.persist };
        const word = world.initial.get(controlAddress(layout, slot)) ?? 0n;
        follow(world, door, around, { slot, word });
      };
    case 'nudge':
      return (door) => {
        door.within('nudge');
        door.notify(controlAddress(layout, slotOfKey(world, plan.key)));
      };
  }
}

export function keyName(key: number): string {
  return `k${key}`;
}

/** A call or a reply is an ordering point only where histories are checked; elsewhere it is a plain note. */
function mark(world: World, door: Door, what: 'call' | 'reply', note: Note): void {
  if (world.plan.realTime !== true) door.note(what === 'call' ? { ...note, value: 'call' } : note);
  else if (what === 'call') door.call({ ...note, value: 'call' });
  else door.reply(note);
}

/** What the broker does for a request: reads, renews what is due, and reads again. */
function use(world: World, door: Door, plan: UsePlan, me: number): void {
  const vault = vaultOf(world, door, { answers: plan.answers ?? ['ok'], store: plan.store ?? ['ok'] });
  const known = vault?.read() ?? null;
  if (vault === undefined || known === null) return;
  if (!vault.isDue(known.grant)) return vault.use(known.grant);
  const request = { does: 'start', key: 0, until: 'settled', leases: plan.leases ?? 1 } as const;
  const outcome = startOnce(world, door, request, me, new RefreshWork(vault));
  if (outcome.kind !== 'led' && outcome.kind !== 'joined') return;
  if (stateOf(outcome.hold.word) !== SUCCESS) return;
  const renewed = vault.read();
  if (renewed !== null) vault.use(renewed.grant);
}

function vaultOf(world: World, door: Door, around?: Partial<VaultSurroundings>): Vault | undefined {
  const { plan, vault, variant } = world;
  if (plan.vault === undefined) return undefined;
  return new Vault(door, vault, plan.vault, variant.protocols ?? shippedProtocols, around);
}

function startOnce(world: World, door: Door, plan: StartPlan, me: number, work?: VaultWork): Outcome {
  const around: Surroundings = {
    provider: plan.provider ?? calm.provider,
    spawn: plan.spawn ?? calm.spawn,
    persist: plan.persist ?? calm.persist,
    losesNotify: plan.losesNotify ?? false,
    ...(work === undefined ? {} : { work }),
  };
  const digest = world.digests[plan.key];
  if (digest === undefined) throw new RangeError(`the plan has no key ${plan.key}`);
  const request: Start = {
    digest,
    payload: plan.payload ?? false,
    until: plan.until ?? 'published',
    waitTicks: 12,
    leases: plan.leases ?? 1,
  };
  const context = contextOf(world, me);
  mark(world, door, 'call', { what: 'start', key: keyName(plan.key) });
  const outcome = drive(world, door, around, start(context, request));
  mark(world, door, 'reply', describe(plan.key, outcome));
  if (outcome.kind === 'led' && plan.follow === true) {
    follow(world, door, around, outcome.hold);
  }
  return outcome;
}

function describe(key: number, outcome: Outcome): Note {
  const base = { what: outcome.kind, key: keyName(key) };
  if (outcome.kind === 'led' || outcome.kind === 'joined') {
    const { slot, word } = outcome.hold;
    const payload = outcome.payload === null ? 'none' : outcome.payload.words.join(',');
    return { ...base, slot, fence: generationOf(word), value: payload, code: stateOf(word) };
  }
  if (outcome.kind === 'failed') {
    const { slot, generation, code } = outcome;
    return { ...base, slot, fence: generation, code, value: outcome.shared ? 'shared' : 'own' };
  }
  return base;
}

/** Long after everything: whatever was left behind, a fresh start on each key must lead within a few tries. */
function probe(world: World, me: number): Body {
  return (door) => {
    for (let key = 0; key < world.plan.keys; key++) {
      let won = false;
      for (let attempt = 0; attempt < 4 && !won; attempt++) {
        door.within('probe');
        door.store(world.clock, BigInt(door.tick() + 40));
        drive(world, door, calm, sweep(contextOf(world, me)));
        const outcome = startOnce(world, door, { does: 'start', key, payload: usesPayload(world.plan) }, me);
        won = outcome.kind === 'led';
      }
      door.note({ what: won ? 'probe:won' : 'probe:lost', key: keyName(key) });
    }
  };
}

function usesPayload(plan: Plan): boolean {
  return plan.threads.some((thread) => thread.does === 'start' && thread.payload === true);
}
