/**
 * Waits for the end of a flow, for a caller: as one answer that takes its time, or as an event stream with an event at once,
 * one when it has ended, and comments in between (HTML section 9.2).
 */
import type { Refusal } from '../../core/errors.ts';
import { isDenial } from '../../core/verdict.ts';
import type { BrokerApi } from '../broker.ts';
import type { Flow } from '../flow.ts';
import { headersOf } from './answer.ts';
import type { Call } from './call.ts';

/** What follows flows: `isEnding` tells that the gateway is about to end, and nobody is to be kept waiting. */
export interface Following {
  readonly broker: Pick<BrokerApi, 'poll' | 'watch'>;
  readonly isEnding: () => boolean;
}

/** How soon a caller who left, or a gateway that ends, is noticed. */
const lookMs = 1000;
/** Sooner than proxies and browsers give a silent connection up. */
const silenceMs = 15_000;

/** How the flow stands when it is no longer pending, or after `waitMs`. */
export async function awaitFlow(
  { broker, isEnding }: Following,
  { exchange, owner }: Call,
  flowId: string,
  waitMs: number,
): Promise<Flow | Refusal> {
  // Bounded by `waitMs`: every turn but the last waits.
  for (let leftMs = waitMs; ; leftMs -= lookMs) {
    const flow = await broker.watch(flowId, owner, Math.min(leftMs, lookMs));
    if (isDenial(flow) || flow.state !== 'pending') return flow;
    if (leftMs <= lookMs || exchange.gone || isEnding()) return flow;
  }
}

/**
 * Sends the stream. Answers a refusal instead when the flow cannot be followed. Ends with the flow, with the caller, with the
 * gateway, or when the flow has been forgotten.
 */
export async function streamFlow(
  following: Following,
  call: Call,
  flowId: string,
  show: (flow: Flow) => unknown,
): Promise<Refusal | null> {
  const { exchange, owner } = call;
  let flow = await following.broker.poll(flowId, owner);
  if (isDenial(flow)) return flow;
  exchange.head(200, headersOf(call, { headers: ['content-type', 'text/event-stream'] }), null);
  tell(call, flow, show);
  // A HEAD has its answer with the head, and would wait for nothing.
  if (exchange.method === 'HEAD') {
    exchange.end();
    return null;
  }
  // Bounded: a flow lives 900 s at most, and every turn waits.
  while (flow.state === 'pending' && !exchange.gone && !following.isEnding()) {
    const next: Flow | Refusal = await awaitFlow(following, call, flowId, silenceMs);
    if (isDenial(next)) break;
    if (next.state !== flow.state) tell(call, next, show);
    else exchange.write(Buffer.from(':\n\n'));
    flow = next;
  }
  exchange.end();
  return null;
}

function tell(call: Call, flow: Flow, show: (flow: Flow) => unknown): void {
  call.exchange.write(Buffer.from(`event: flow\ndata: ${JSON.stringify(show(flow))}\n\n`));
}
