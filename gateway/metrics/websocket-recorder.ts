/** The pen of a thread for its WebSockets, in the same cells as that of its requests (`recorder.ts`). */
import { webSocketDirections, type WebSocketEnd, webSocketEnds } from './catalogue.ts';
import type { RegionHandle } from './cells.ts';
import { layoutFor, type Layout } from './layout.ts';
import { otherRoute } from './ordinals.ts';

export type WebSocketDirection = (typeof webSocketDirections)[number];

export class WebSocketRecorder {
  readonly #cells: Float64Array;
  readonly #layout: Layout;

  /** The region is open already: its gauges were set to 0. */
  constructor(handle: RegionHandle) {
    this.#layout = layoutFor(handle.seriesMax);
    this.#cells = new Float64Array(handle.region);
  }

  /** `route` is an ordinal of `LabelIndex`. */
  opened(route: number): void {
    const { families } = this.#layout;
    this.#cells[families.sallyport_websocket_connections.base]! += 1;
    this.#cells[families.sallyport_websocket_opened_total.base + this.#rowOf(route)]! += 1;
  }

  closed(route: number, end: WebSocketEnd): void {
    const { families } = this.#layout;
    this.#cells[families.sallyport_websocket_connections.base]! -= 1;
    const block = this.#rowOf(route) * webSocketEnds.length + webSocketEnds.indexOf(end);
    this.#cells[families.sallyport_websocket_closed_total.base + block]! += 1;
  }

  message(direction: WebSocketDirection, bytes: number): void {
    const { families } = this.#layout;
    const column = webSocketDirections.indexOf(direction);
    this.#cells[families.sallyport_websocket_messages_total.base + column]! += 1;
    this.#cells[families.sallyport_websocket_bytes_total.base + column]! += bytes;
  }

  /** Routes beyond those with cells of their own share a row. */
  #rowOf(route: number): number {
    return route < this.#layout.durationRows ? route : otherRoute;
  }
}
