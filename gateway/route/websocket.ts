/** Reads which routes accept WebSockets, on what terms, and which give out tickets for them. */
import { isPublic, nearest, type Chain } from './inherit.ts';
import type { Route, TicketMount, WebSocketRules } from './policy.ts';
import type { ConfigPath, ProblemList } from './problem.ts';
import type { TicketSource } from './source.ts';

/** Null for a route that accepts none. `isForwarded`: the route has an upstream. */
export function webSocketOf(
  chain: Chain,
  isForwarded: boolean,
  problems: ProblemList,
): WebSocketRules | null {
  const { node, at } = chain.at(-1)!;
  const refuse = (place: ConfigPath, problem: string): void => problems.add(place, problem, { atKey: true });
  const own = [...at, 'websocket'];
  if (node.websocket !== undefined && !isForwarded && node.routes === undefined)
    refuse(own, 'a WebSocket is passed through to an `upstream`, and this route has none');
  const source = nearest(chain, (level) => level.websocket)?.value;
  if (source === undefined || !isForwarded) return null;
  if (isPublic(chain) && node.websocket !== undefined) {
    if (source.tokenIn.length > 0) refuse([...own, 'token_in'], 'the route is public: no token is looked at');
    if (source.renewBy !== undefined)
      refuse([...own, 'renew_by'], 'the route is public: there is no token to renew');
  }
  const { origins = null } = source;
  return {
    origins: origins?.includes('*') === true ? 'any' : origins && new Set(origins),
    requiresOrigin: source.requireOrigin,
    tokenPrefix: source.tokenIn.includes('subprotocol') ? source.tokenPrefix : null,
    takesTickets: source.tokenIn.includes('ticket'),
    messageBytesMax: source.maxMessageBytes,
    bufferedBytesMax: source.maxBufferedBytes,
    idleMsMax: source.idleTimeoutMs === 0 ? Number.POSITIVE_INFINITY : source.idleTimeoutMs,
    renewBy: source.renewBy ?? null,
  };
}

export function ticketOf(chain: Chain, source: TicketSource, problems: ProblemList): TicketMount {
  if (isPublic(chain)) {
    problems.add(
      [...chain.at(-1)!.at, 'ticket'],
      'a ticket stands for a token, and a public route has none',
      {
        atKey: true,
      },
    );
  }
  return { routeId: source.for, seconds: source.seconds };
}

/** A ticket that opens nothing is a mistake. Asked when all routes are known. */
export function checkTickets(
  drafts: readonly { readonly route: Pick<Route, 'id' | 'ticket' | 'websocket'>; readonly chain: Chain }[],
  problems: ProblemList,
): void {
  const takers = drafts.filter(({ route }) => route.websocket?.takesTickets).map(({ route }) => route.id);
  for (const { route, chain } of drafts) {
    if (route.ticket === null || takers.includes(route.ticket.routeId)) continue;
    const { at } = chain.findLast(({ node }) => node.ticket !== undefined)!;
    problems.addUnknown(
      [...at, 'ticket', 'for'],
      'route with `websocket: { token_in: [ticket] }`',
      route.ticket.routeId,
      takers,
    );
  }
}
