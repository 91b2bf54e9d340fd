/** Follows a flow as an event stream: one event at once, one when it has ended, comments in between (HTML section 9.2). */
import type { Refusal } from '../../core/errors.ts';
import type { Flow } from '../flow.ts';
import type { BrokerApi } from '../broker.ts';
import { headersOf } from './answer.ts';
import type { Call } from './call.ts';

/** Sooner than proxies and browsers give a silent connection up. */
const silenceMs = 15_000;

/**
 * Sends the stream. Answers a refusal instead when the flow cannot be followed. Ends with the flow, with the caller, or
 * when the flow has been forgotten.
 */
export async function streamFlow(
  call: Call,
  broker: BrokerApi,
  flowId: string,
  show: (flow: Flow) => unknown,
): Promise<Refusal | null> {
  const { exchange, owner } = call;
  let flow = await broker.poll(flowId, owner);
  if ('code' in flow) return flow;
  exchange.head(200, headersOf(call, { headers: ['content-type', 'text/event-stream'] }), null);
  tell(call, flow, show);
  // Bounded: a flow lives 900 s at most, and every turn waits.
  while (flow.state === 'pending' && !exchange.gone) {
    const next: Flow | Refusal = await broker.watch(flowId, owner, silenceMs);
    if ('code' in next) break;
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
