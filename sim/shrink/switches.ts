// Fewer switches: delta debugging (Zeller and Hildebrandt 2002) over the forced switches of a schedule.

import type { Guide, Switch } from '../schedulers/guided.ts';

/** The smallest guide found that still fails; `fails` replays a guide. */
export function fewerSwitches(guide: Guide, fails: (guide: Guide) => boolean): Guide {
  let switches: readonly Switch[] = guide.switches;
  let pieces = 2;
  while (switches.length > 0) {
    const size = Math.ceil(switches.length / pieces);
    let shrunk = false;
    for (let from = 0; from < switches.length; from += size) {
      const rest = [...switches.slice(0, from), ...switches.slice(from + size)];
      if (!fails({ ...guide, switches: rest })) continue;
      switches = rest;
      pieces = Math.max(2, pieces - 1);
      shrunk = true;
      break;
    }
    if (shrunk) continue;
    if (size <= 1) break;
    pieces = Math.min(switches.length, pieces * 2);
  }
  return { ...guide, switches };
}
