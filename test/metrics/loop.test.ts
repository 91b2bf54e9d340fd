import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it } from 'vitest';
import { gcKinds } from '../../gateway/metrics/catalogue.ts';
import { CellStore } from '../../gateway/metrics/cells.ts';
import { watchLoop } from '../../gateway/metrics/loop.ts';
import { Recorder } from '../../gateway/metrics/recorder.ts';
import { until } from '../support/until.ts';

it('counts the pauses for garbage of its thread, by kind, and knows its heap from the start', async () => {
  const store = new CellStore(100);
  const { families } = store.layout;
  const watch = watchLoop(new Recorder(store.region('main')));
  const used = store.sum(families.sallyport_heap_used_bytes.base);
  expect(used).toBeGreaterThan(0);
  expect(store.sum(families.sallyport_heap_limit_bytes.base)).toBeGreaterThan(used);

  const major = gcKinds.indexOf('major');
  const pauses = (): number => store.sum(families.sallyport_gc_pauses_total.base + major);
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  await until('the collection is counted', () => pauses() > 0);
  expect(store.sum(families.sallyport_gc_pause_seconds_total.base + major)).toBeGreaterThan(0);
  watch.stop();
});
