import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { CellStore } from '../../gateway/metrics/cells.ts';
import { Exposition } from '../../gateway/metrics/exposition.ts';
import { KeptLines } from '../../gateway/metrics/kept-lines.ts';
import { Recorder } from '../../gateway/metrics/recorder.ts';
import { textOf } from './parse.ts';
import { routesNamed } from './routes.ts';

const heads = ['up ', 'requests{route="/größe \\" \\\\n"} ', 'requests{route="ö",le="+Inf"} ', 'x{a="0"} '];
const value = fc.oneof(fc.constantFrom(0, 1, 9, 10, 1e21, 0.1 + 0.2, 1e-7, Number.NaN), fc.double());
const values = fc.tuple(value, value, value, value);

const written = (all: readonly number[], tail = ''): string =>
  heads.map((head, line) => `${head}${String(all[line])}${tail}\n`).join('');

it('kept lines are those that would be written anew, whatever changed, and former bytes stay', () => {
  fc.assert(
    fc.property(fc.array(values, { maxLength: 6 }), (rounds) => {
      const lines = new KeptLines(heads);
      const all = [[0, 0, 0, 0], ...rounds].map(
        (each) => [each, lines.with(Float64Array.from(each))] as const,
      );
      for (const [each, bytes] of all) expect(bytes.toString()).toBe(written(each));
      const last = all.at(-1)![0];
      expect(lines.withTails(() => ' # {} 1').toString()).toBe(written(last, ' # {} 1'));
      expect(lines.withTails(() => '').toString()).toBe(written(last));
    }),
  );
});

it('lines without a change are not copied', () => {
  const lines = new KeptLines(heads);
  const bytes = lines.with(Float64Array.of(1, 2, 3, 4));
  expect(lines.with(Float64Array.of(1, 2, 3, 4))).toBe(bytes);
  expect(lines.with(Float64Array.of(1, 2, 3, 5))).not.toBe(bytes);
});

it('a scrape after others is the scrape of a gateway that was never asked before', async () => {
  const store = new CellStore(20_000, true);
  const recorders = ['listener-0', 'listener-1'].map((thread) => new Recorder(store.region(thread)));
  const kept = new Exposition(store);
  const cells = async (exposition: Exposition, format: 'text' | 'openmetrics'): Promise<string> => {
    const text = await textOf(exposition, format);
    return text.slice(0, text.indexOf('# HELP process_'));
  };
  const names = Array.from({ length: 200 }, (_, index) => `route-${index}`);
  for (let round = 1; round <= 5; round++) {
    const known = names.slice(0, 40 * round);
    const { routes } = store.label({ routes: routesNamed(...known) }, known.slice(0, 20 * round));
    for (const [index, route] of routes.entries()) {
      const recorder = recorders[index % 2]!;
      if (index % round === 0) recorder.requestDone(route, index % 8, 200 + round, index, 'ab'.repeat(16));
      recorder.decided(route, index % (10 * round));
      recorder.eventLoop(index / 7, 0, 0);
    }
    if (round === 4) store.region('listener-2');
    for (const format of ['text', 'openmetrics'] as const)
      expect(await cells(kept, format)).toBe(await cells(new Exposition(store), format));
  }
});
