// A schedule by its switches: everybody runs without preemption, except where a recorded switch says otherwise. A
// switch names the step that it follows by its site ("the 2nd time thread 0 has done `tryStart.load CTL[0]`"), so it
// survives changes of the code elsewhere.

import type { Machine } from '../engine/machine.ts';
import { Act } from '../engine/machine.ts';
import { Kind } from '../engine/program.ts';
import type { Schedule } from './schedule.ts';
import { nthThread } from './threads.ts';

export interface Switch {
  /** The step after which it happens; null is the very beginning. */
  readonly after: { readonly thread: number; readonly site: string; readonly n: number } | null;
  readonly to: number;
}

/** Where something left to chance did not take its first alternative. */
export interface Draw {
  readonly thread: number;
  readonly site: string;
  readonly n: number;
  readonly alternative: number;
}

export interface Guide {
  readonly switches: readonly Switch[];
  readonly draws: readonly Draw[];
}

/** What the default policy would do: stay on the thread that runs, else take the lowest that can. */
function usualThread(machine: Machine, last: number): number {
  const enabled = machine.enabled();
  if (enabled === 0) return -1;
  return last >= 0 && (enabled >>> last) & 1 ? last : nthThread(enabled, 0);
}

class Sites {
  readonly #counts = new Map<string, number>();
  count(thread: number, site: string): number {
    const key = `${thread} ${site}`;
    const n = (this.#counts.get(key) ?? 0) + 1;
    this.#counts.set(key, n);
    return n;
  }
  peek(thread: number, site: string): number {
    return this.#counts.get(`${thread} ${site}`) ?? 0;
  }
}

function siteOf(machine: Machine, d: number): string {
  const act = machine.stepAct[d];
  const site = machine.stepNode[d]?.site ?? '';
  if (act === Act.crash) return 'crash';
  return act === Act.resume || act === Act.timeout ? `${site} returns` : site;
}

/** Reads the guide off a schedule that the machine can take. */
export function guideOf(machine: Machine, schedule: Schedule): Guide {
  const switches: Switch[] = [];
  const draws: Draw[] = [];
  const sites = new Sites();
  machine.reset();
  let last = -1;
  let after: Switch['after'] = null;
  for (const { thread, alternative } of schedule) {
    if (thread < 0) {
      machine.jump();
      continue;
    }
    if (thread !== usualThread(machine, last)) switches.push({ after, to: thread });
    const choosing = machine.node(thread).kind === Kind.choose;
    machine.step(thread, alternative);
    const site = siteOf(machine, machine.depth - 1);
    const n = sites.count(thread, site);
    if (choosing && alternative > 0) draws.push({ thread, site, n, alternative });
    after = { thread, site, n };
    last = thread;
  }
  return { switches, draws };
}

/** Runs the machine from its beginning to its end under a guide. Returns how many switches could be made. */
export function follow(machine: Machine, guide: Guide, stepsMax: number): number {
  const sites = new Sites();
  machine.reset();
  let last = -1;
  let site: Switch['after'] = null;
  let made = 0;
  while (machine.depth < stepsMax) {
    if (machine.enabled() === 0) {
      if (!machine.canJump()) break;
      machine.jump();
      continue;
    }
    const here = site;
    const forced = guide.switches.find(
      (one) =>
        one.after === here ||
        (one.after !== null &&
          here !== null &&
          one.after.thread === here.thread &&
          one.after.site === here.site &&
          one.after.n === here.n),
    );
    let thread = usualThread(machine, last);
    if (forced !== undefined && machine.isEnabled(forced.to)) {
      thread = forced.to;
      made++;
    }
    const at = machine.node(thread).site;
    const draw = guide.draws.find(
      (one) => one.thread === thread && one.site === at && one.n === sites.peek(thread, at) + 1,
    );
    const alternative =
      draw !== undefined && draw.alternative < machine.alternatives(thread) ? draw.alternative : 0;
    machine.step(thread, alternative);
    const done = siteOf(machine, machine.depth - 1);
    site = { thread, site: done, n: sites.count(thread, done) };
    last = thread;
  }
  return made;
}
