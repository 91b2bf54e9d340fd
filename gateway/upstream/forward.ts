/**
 * Forwards one request: takes a permit, so that nothing is forwarded without a decision, and makes a call of it (`call.ts`).
 */
import type { Exchange } from '../core/exchange.ts';
import type { Permit } from '../core/verdict.ts';
import type { Upgrade } from '../core/websocket.ts';
import { BodyStream, collect, collectedBytesMax } from './body.ts';
import { Call, type Refuse } from './call.ts';
import type { HeaderPlan } from './headers.ts';
import type { Upstream } from './upstream.ts';

/**
 * Sends the request to the upstream and its answer to the caller. Errors go to `refuse`; nothing is thrown.
 * `authorization`: our own Authorization field, in the place of the caller's.
 */
export function forward(
  permit: Permit,
  plan: HeaderPlan,
  exchange: Exchange,
  upstream: Upstream,
  refuse: Refuse,
  authorization: string | null = null,
): void {
  if (exchange.gone) return;
  const headers = plan.build(exchange, permit.facts);
  if (!Array.isArray(headers)) {
    refuse(exchange, headers);
    return;
  }
  if (authorization !== null) headers.push('authorization', authorization);
  if (exchange.upgrade !== null) {
    void dial(exchange, exchange.upgrade, upstream, headers, plan.requestIdHeader, refuse);
    return;
  }
  const call = new Call(exchange, upstream, headers, plan.requestIdHeader, refuse);
  const { body } = exchange;
  if (body === null) {
    call.send(null);
    return;
  }
  if (body.length !== null && body.length <= collectedBytesMax) {
    collect(body, (bytes) => call.send(bytes));
    return;
  }
  call.send(new BodyStream(body, () => call.bodyMoved()));
}

/** What speaks RFC 6455 to upstreams is loaded with the first WebSocket. */
async function dial(
  exchange: Exchange,
  upgrade: Upgrade,
  upstream: Upstream,
  headers: readonly string[],
  ownedField: string,
  refuse: Refuse,
): Promise<void> {
  const { Dial } = await import('./dial.ts');
  if (!exchange.gone) new Dial(exchange, upgrade, upstream, refuse).send(headers, ownedField);
}
