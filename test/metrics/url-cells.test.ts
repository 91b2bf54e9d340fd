import { expect, it } from 'vitest';
import { CellStore } from '../../gateway/metrics/cells.ts';
import { urlsToldMax } from '../../gateway/metrics/layout.ts';
import { UrlCells, urlFigures } from '../../gateway/metrics/url-cells.ts';

it('URLs are told apart by upstream and place, summed over threads, and renewed as a whole', () => {
  const store = new CellStore(1000);
  const [one, other] = [new UrlCells(store.region('listener-0')), new UrlCells(store.region('listener-1'))];
  const url = (busy: number, idle: number, isOut: boolean) => ({ busy, idle, isOut });
  one.hold([
    [1, [url(1, 2, false), url(3, 4, true)]],
    [2, [url(5, 6, true)]],
  ]);
  other.hold([[1, [url(10, 20, true), url(30, 40, true)]]]);
  expect(urlFigures(store, 1, 2)).toEqual([
    { busy: 11, idle: 22, threadsOut: 1 },
    { busy: 33, idle: 44, threadsOut: 2 },
  ]);
  expect(urlFigures(store, 2, 1)).toEqual([{ busy: 5, idle: 6, threadsOut: 1 }]);
  one.hold([[1, [url(7, 0, false)]]]);
  expect(urlFigures(store, 1, 2)).toEqual([
    { busy: 17, idle: 20, threadsOut: 1 },
    { busy: 30, idle: 40, threadsOut: 1 },
  ]);
  expect(urlFigures(store, 2, 1)).toEqual([{ busy: 0, idle: 0, threadsOut: 0 }]);
});

it('URLs beyond those that are told touch no other upstream', () => {
  const store = new CellStore(1000);
  const cells = new UrlCells(store.region('listener-0'));
  cells.hold([[1, Array.from({ length: urlsToldMax + 5 }, () => ({ busy: 1, idle: 0, isOut: false }))]]);
  expect(urlFigures(store, 1, urlsToldMax + 5)).toHaveLength(urlsToldMax);
  expect(urlFigures(store, 2, 1)).toEqual([{ busy: 0, idle: 0, threadsOut: 0 }]);
});
