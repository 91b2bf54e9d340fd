/** The pen of a thread for the spans it sends, in the same cells as that of its requests (`recorder.ts`). */
import { spanOutcomes } from './catalogue.ts';
import type { RegionHandle } from './cells.ts';
import { layoutFor } from './layout.ts';

/** Adds to the spans with that outcome. The region is open already. */
export function spanRecorder(
  handle: RegionHandle,
): (outcome: (typeof spanOutcomes)[number], spans: number) => void {
  const { base } = layoutFor(handle.seriesMax).families.sallyport_trace_spans_total;
  const cells = new Float64Array(handle.region);
  return (outcome, spans) => {
    cells[base + spanOutcomes.indexOf(outcome)]! += spans;
  };
}
