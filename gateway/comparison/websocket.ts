/** Compares what two routes ask of WebSockets, and what those are allowed. */
import type { Route, WebSocketRules } from '../route/policy.ts';
import { changed, compareAccepted, compareLimits, loosened, tightened, type Finding } from './change.ts';

type Rules = Route['websocket'];

export function compareWebSocket(old: Rules, now: Rules): readonly Finding[] {
  if (old === null && now === null) return [];
  if (now === null) return [tightened('websocket', 'no WebSockets any more')];
  if (old === null) return [loosened('websocket', 'WebSockets are accepted')];
  return [
    ...compareAccepted('websocket.origins', originsOf(old), originsOf(now)),
    ...compareFlag('websocket.require_origin', old.requiresOrigin, now.requiresOrigin),
    ...compareAccepted('websocket.token_in', carriersOf(old), carriersOf(now)),
    ...compareLimits('websocket.max_message_bytes', old.messageBytesMax, now.messageBytesMax),
    ...compareLimits('websocket.max_buffered_bytes', old.bufferedBytesMax, now.bufferedBytesMax),
    ...compareLimits('websocket.idle_timeout_ms', old.idleMsMax, now.idleMsMax),
    ...(old.renewBy === now.renewBy ? [] : [changed('websocket.renew_by', 'renewal has another form')]),
  ];
}

const originsOf = ({ origins }: WebSocketRules): readonly string[] | null =>
  origins === 'any' ? null : origins === null ? ['that of the Host asked for'] : [...origins];

const carriersOf = ({ tokenPrefix, takesTickets }: WebSocketRules): readonly string[] => [
  'authorization',
  ...(tokenPrefix === null ? [] : [`subprotocol ${tokenPrefix}`]),
  ...(takesTickets ? ['ticket'] : []),
];

const compareFlag = (setting: string, old: boolean, now: boolean): readonly Finding[] =>
  old === now ? [] : now ? [tightened(setting, 'required')] : [loosened(setting, 'no longer required')];

/** All answers end with their token, or event streams, or none. */
export function compareEndings(old: Route['endAtExpiry'], now: Route['endAtExpiry']): readonly Finding[] {
  const strictness = (each: Route['endAtExpiry']): number => (each === null ? 1 : each ? 2 : 0);
  const difference = strictness(now) - strictness(old);
  if (difference === 0) return [];
  return difference > 0
    ? [tightened('end_at_expiry', 'more answers end with their token')]
    : [loosened('end_at_expiry', 'more answers may outlive their token')];
}
