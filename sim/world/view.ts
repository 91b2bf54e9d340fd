// How a flight table is shown: its control words in words.

import { describeControl } from '../../gateway/flight/control-word.ts';
import { controlAddress, nameOf } from '../../gateway/flight/layout.ts';
import { plainWord, type View } from '../report/trace.ts';
import type { World } from './world.ts';

export function viewOf(world: World): View {
  const { layout, clock } = world;
  const controls = Array.from({ length: layout.slots }, (_, slot) => controlAddress(layout, slot));
  return {
    clock,
    shown: controls,
    nameOf: (address) => (address === clock ? 'CLK' : nameOf(layout, address)),
    describe: (address, word) =>
      controls.includes(address) ? describeControl(word) : plainWord(address, word),
  };
}
