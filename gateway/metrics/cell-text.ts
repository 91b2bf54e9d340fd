/**
 * The shared cells as text: one line for each series, in the order of the catalogue.
 *
 * Lines lie in pages that are kept between scrapes (`kept-lines.ts`): what a scrape pays for is a sum over threads for each
 * line, and the bytes of the pages in which a value changed. prom-client builds and escapes every line at every scrape.
 */
import {
  cellFamilies,
  seriesFamilies,
  type CellFamilyName,
  type Family,
  type LabelValues,
  type SeriesFamilyName,
} from './catalogue.ts';
import { sums, type CellStore } from './cells.ts';
import type { AfterBucket } from './exemplars.ts';
import { KeptLines } from './kept-lines.ts';
import { headOfSeries, headsOfBlock, preludeOf, type Labels } from './line-heads.ts';
import { isDecision, routeOf } from './series.ts';

/** Lines that are written in one go, about: less than a millisecond. */
const linesOfPage = 2048;
/** Routes of the series table with their lines on one page: a new series costs the lines of these. */
const routesOfPage = 64;

/** Lines, and the cell that each shows. Both never change. */
interface Page {
  readonly lines: KeptLines;
  readonly cells: Int32Array;
}

type Pieces = Generator<string | Buffer>;

export class CellText {
  readonly #store: CellStore;
  readonly #families: readonly ((afterBucket: AfterBucket | null) => Pieces)[];

  constructor(store: CellStore) {
    this.#store = store;
    this.#families = [
      ...(Object.keys(seriesFamilies) as SeriesFamilyName[]).map((name) => this.#seriesOf(name)),
      ...(Object.keys(cellFamilies) as CellFamilyName[]).map((name) => this.#cellsOf(name)),
    ];
  }

  /**
   * Comments as text and lines as bytes, which stay as they are; whoever sends them may let others through in between.
   * `afterBucket` serves request durations.
   */
  *pieces(afterBucket: AfterBucket | null): Pieces {
    for (const family of this.#families) yield* family(afterBucket);
  }

  #seriesOf(name: SeriesFamilyName): () => Pieces {
    const store = this.#store;
    const ofDecisions = name === 'sallyport_authz_decisions_total';
    let pages: ReadonlyMap<number, Page> = new Map();
    let size = -1;
    const pageOf = (keys: Int32Array): Page => ({
      lines: new KeptLines(Array.from(keys, (key) => headOfSeries(name, key, store.routes.at(routeOf(key))))),
      cells: keys.map((key) => store.layout.seriesBase + store.series.find(key)),
    });
    const renew = (): void => {
      size = store.series.size;
      const keys = store.series.keys().filter((key) => isDecision(key) === ofDecisions);
      const next = new Map<number, Page>();
      for (let from = 0, to = 0; from < keys.length; from = to) {
        const place = Math.floor(routeOf(keys[from]!) / routesOfPage);
        while (to < keys.length && Math.floor(routeOf(keys[to]!) / routesOfPage) === place) to++;
        // Keys never leave: as many are the same ones.
        const former = pages.get(place);
        next.set(place, former?.cells.length === to - from ? former : pageOf(keys.subarray(from, to)));
      }
      pages = next;
    };
    return function* text() {
      if (size !== store.series.size) renew();
      yield preludeOf(name, seriesFamilies[name]);
      for (const { lines, cells } of pages.values()) yield lines.with(sums(store.regions, cells));
    };
  }

  #cellsOf(name: CellFamilyName): (afterBucket: AfterBucket | null) => Pieces {
    const store = this.#store;
    const family: Family = cellFamilies[name];
    const { base, width } = store.layout.families[name];
    const isHistogram = family.type === 'histogram';
    const linesOfBlock = isHistogram ? width + 1 : 1;
    const blocksOfPage = Math.max(1, Math.floor(linesOfPage / linesOfBlock));
    const kept = new Map<string, Page[]>();

    const pageOf = (own: Labels, values: readonly NamedValues[], from: number, to: number): Page => {
      const blocks = Array.from({ length: to - from }, (_, index) => from + index);
      const heads = blocks.flatMap((block) =>
        headsOfBlock(name, family, [...own, ...labelsOf(values, block)]),
      );
      // The count of a histogram has no cell.
      const cells = Int32Array.from(heads, (_, line) => {
        const cell = Math.min(line % linesOfBlock, width - 1);
        return base + (from + Math.floor(line / linesOfBlock)) * width + cell;
      });
      return { lines: new KeptLines(heads), cells };
    };

    const pagesOf = (thread: string, own: Labels): readonly Page[] => {
      const pages = kept.get(thread) ?? [];
      kept.set(thread, pages);
      const values = this.#valuesOf(family);
      const blocks = values.reduce((product, { names }) => product * names.length, 1);
      for (let from = 0, page = 0; from < blocks; from += blocksOfPage, page++) {
        const to = Math.min(blocks, from + blocksOfPage);
        // Dictionaries grow at the end of the *first* label, so blocks keep their place.
        if (pages[page]?.cells.length !== (to - from) * linesOfBlock)
          pages[page] = pageOf(own, values, from, to);
      }
      return pages;
    };

    return function* text(afterBucket) {
      yield preludeOf(name, family);
      const sources =
        'thread' in family.labels
          ? store.regions.map((region) => ({
              pages: pagesOf(region.thread, [['thread', region.thread]]),
              regions: [region],
            }))
          : [{ pages: pagesOf('', []), regions: store.regions }];
      for (const { pages, regions } of sources) {
        for (const [page, { lines, cells }] of pages.entries()) {
          const values = sums(regions, cells);
          if (isHistogram) accumulate(values, linesOfBlock);
          const bytes = lines.with(values);
          if (afterBucket === null || name !== 'sallyport_http_request_duration_seconds') yield bytes;
          else
            yield lines.withTails((line) => {
              const bucket = line % linesOfBlock;
              const row = page * blocksOfPage + Math.floor(line / linesOfBlock);
              return bucket < width - 1 ? afterBucket(row, bucket) : '';
            });
        }
      }
    };
  }

  /** The labels of a family and their values in the order of the ordinals, as far as they are in use. */
  #valuesOf({ labels }: Family): readonly NamedValues[] {
    return Object.entries(labels)
      .filter(([, values]) => values !== 'thread')
      .map(([label, values]) => ({ label, names: this.#namesOf(values) }));
  }

  #namesOf(values: LabelValues): readonly string[] {
    const { routes, upstreams, providers, layout } = this.#store;
    if (values === 'route') return names(routes, Math.min(routes.size, layout.durationRows));
    if (values === 'upstream') return names(upstreams, upstreams.size);
    if (values === 'provider') return names(providers, providers.size);
    return values as readonly string[];
  }
}

interface NamedValues {
  readonly label: string;
  readonly names: readonly string[];
}

function names(dictionary: { at(ordinal: number): string }, size: number): string[] {
  return Array.from({ length: size }, (_, ordinal) => dictionary.at(ordinal));
}

/** Of one block: the last label counts fastest. */
function labelsOf(values: readonly NamedValues[], block: number): Labels {
  let rest = block;
  return values
    .toReversed()
    .map(({ label, names: all }) => {
      const name = all[rest % all.length]!;
      rest = Math.floor(rest / all.length);
      return [label, name] as const;
    })
    .toReversed();
}

/** The shared cells count each bucket alone; lines count all up to their bound, and the last of a block has the sum of all. */
function accumulate(values: Float64Array, linesOfBlock: number): void {
  for (let start = 0; start < values.length; start += linesOfBlock) {
    const sum = start + linesOfBlock - 2;
    let count = 0;
    for (let line = start; line < sum; line++) {
      count += values[line]!;
      values[line] = count;
    }
    values[sum + 1] = count;
  }
}
