// How a flight table is shown: its control words in words.

import { describeControl } from '../../gateway/flight/control-word.ts';
import { controlAddress } from '../../gateway/flight/layout.ts';
import { plainWord, type View } from '../report/trace.ts';
import { describeVault } from './vault.ts';
import { nameIn, type World } from './world.ts';

export function viewOf(world: World): View {
  const { plan, layout, clock, vault } = world;
  const controls = Array.from({ length: layout.slots }, (_, slot) => controlAddress(layout, slot));
  return {
    clock,
    shown: plan.vault === undefined ? controls : [...controls, vault],
    nameOf: (address) => nameIn(world, address),
    describe: (address, word) =>
      controls.includes(address)
        ? describeControl(word)
        : address > clock
          ? describeVault(address - vault, word)
          : plainWord(address, word),
  };
}
