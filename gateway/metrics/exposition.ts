/**
 * `/metrics`: the shared cells (`cell-text.ts`), and what prom-client keeps on the main thread, in either of two formats.
 *
 * A scrape is written in pieces with the event loop let through between them: it never holds the control plane for long,
 * however many routes there are.
 */
import { setImmediate } from 'node:timers/promises';
import { collectDefaultMetrics, Registry } from 'prom-client';
import { CellText } from './cell-text.ts';
import type { CellStore } from './cells.ts';
import { exemplarText } from './exemplars.ts';
import { type Format, formatFor } from './negotiation.ts';

const contentTypes: Readonly<Record<Format, string>> = {
  text: Registry.PROMETHEUS_CONTENT_TYPE,
  openmetrics: Registry.OPENMETRICS_CONTENT_TYPE,
};

/** Gauges that prom-client names like counters, which `promtool check metrics` rejects; each has a labelled twin. */
const misnamed = [
  'nodejs_active_handles_total',
  'nodejs_active_requests_total',
  'nodejs_active_resources_total',
];

export class Exposition {
  readonly registry = new Registry();
  readonly #cells: CellText;
  readonly #store: CellStore;
  readonly #scrapes = new Map<Format, Promise<readonly Buffer[]>>();

  constructor(store: CellStore) {
    this.#store = store;
    this.#cells = new CellText(store);
    collectDefaultMetrics({ register: this.registry });
    for (const name of misnamed) this.registry.removeSingleMetric(name);
  }

  /** The answer to a scrape, in the format that its Accept field prefers. */
  async answer(accept: string): Promise<{ readonly contentType: string; readonly body: readonly Buffer[] }> {
    const format = formatFor(accept);
    return { contentType: contentTypes[format], body: await this.scrape(format) };
  }

  /** The bytes of a scrape, in pieces; scrapes of one format at the same time share one. */
  scrape(format: Format): Promise<readonly Buffer[]> {
    const running = this.#scrapes.get(format);
    if (running !== undefined) return running;
    const scrape = this.#render(format).finally(() => this.#scrapes.delete(format));
    this.#scrapes.set(format, scrape);
    return scrape;
  }

  async #render(format: Format): Promise<readonly Buffer[]> {
    const isOpen = format === 'openmetrics';
    const parts: Buffer[] = [];
    const add = async (part: string | Buffer): Promise<void> => {
      // Lines of cells are alike in both formats.
      parts.push(typeof part === 'string' ? Buffer.from(isOpen ? openMetricsOf(part) : part) : part);
      await setImmediate();
    };
    const exemplars = this.#store.regions.flatMap(({ exemplars }) => exemplars ?? []);
    const exemplarOf = isOpen && exemplars.length > 0 ? exemplarText(exemplars) : null;
    for (const chunk of this.#cells.pieces(exemplarOf)) await add(chunk);
    for (const { name } of this.registry.getMetricsAsArray())
      await add(`${await this.registry.getSingleMetricAsString(name)}\n`);
    if (isOpen) await add('# EOF\n');
    return parts;
  }
}

/**
 * The same lines as OpenMetrics has them: there a counter's family is named without `_total`, its samples with it.
 * Source: OpenMetrics 1.0, "Counter"; no help of ours has quotes, which it would escape.
 */
function openMetricsOf(text: string): string {
  return text.replaceAll(/^(# (?:HELP|TYPE) \S+)_total /gm, '$1 ').replaceAll(/ Nan$/gm, ' NaN');
}
