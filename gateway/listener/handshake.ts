/**
 * The opening handshake of a WebSocket, judged before any credential is looked at: form, origin, and where the token is.
 * Source: RFC 6455 sections 4.2.1 (form), 10.2 (origin), 4.2.2 (subprotocols); RFC 6454 section 7.
 */
import { type Refusal, refusals } from '../core/errors.ts';
import type { RawHeaders } from '../core/exchange.ts';
import type { Upgrade } from '../core/websocket.ts';
import type { SocketContext } from '../native/uws.ts';
import type { WebSocketRules } from '../route/policy.ts';

export interface Handshake extends Upgrade {
  readonly key: string;
  /** The driver's; names what kind of WebSocket the connection becomes. */
  readonly context: SocketContext;
  /** Credentials among the subprotocols. More than one is ambiguous. */
  readonly carried: readonly Carried[];
  /**
   * What the caller is answered where the upstream chose no subprotocol: empty, unless it offered nothing but a credential.
   * A browser that offered something takes no answer without a choice, so it gets that back.
   */
  readonly echo: string;
}

export interface Carried {
  readonly kind: 'token' | 'ticket';
  readonly value: string;
}

export const ticketPrefix = 'ticket.';

/** 16 bytes in base64. */
const KEY = /^[A-Za-z0-9+/]{21}[AQgw]==$/;
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/** `rules` null: the route has no WebSockets. */
export function readHandshake(
  fields: RawHeaders,
  rules: WebSocketRules | null,
  context: SocketContext,
): Handshake | Refusal {
  const upgrade = listOf(fields, 'upgrade').map((each) => each.toLowerCase());
  if (rules === null || !upgrade.includes('websocket')) return refusals.upgrade_unsupported;
  const versions = valuesOf(fields, 'sec-websocket-version');
  if (versions.length !== 1 || versions[0] !== '13') return refusals.websocket_version;
  const keys = valuesOf(fields, 'sec-websocket-key');
  const connection = listOf(fields, 'connection').map((each) => each.toLowerCase());
  const offered = listOf(fields, 'sec-websocket-protocol');
  if (
    keys.length !== 1 ||
    !KEY.test(keys[0]!) ||
    !connection.includes('upgrade') ||
    valuesOf(fields, 'content-length').some((length) => Number(length) > 0) ||
    valuesOf(fields, 'transfer-encoding').length > 0 ||
    new Set(offered).size < offered.length ||
    !offered.every((each) => TOKEN.test(each))
  )
    return refusals.websocket_invalid;
  if (!isAllowedOrigin(fields, rules)) return refusals.origin_not_allowed;

  const carried: Carried[] = [];
  const protocols: string[] = [];
  for (const each of offered) {
    if (rules.takesTickets && each.startsWith(ticketPrefix))
      carried.push({ kind: 'ticket', value: each.slice(ticketPrefix.length) });
    else if (rules.tokenPrefix !== null && each.startsWith(rules.tokenPrefix))
      carried.push({ kind: 'token', value: each.slice(rules.tokenPrefix.length) });
    else protocols.push(each);
  }
  return {
    key: keys[0]!,
    context,
    carried,
    protocols,
    echo: protocols.length === 0 ? (offered[0] ?? '') : '',
    messageBytesMax: rules.messageBytesMax,
  };
}

function isAllowedOrigin(fields: RawHeaders, { origins, requiresOrigin }: WebSocketRules): boolean {
  const given = valuesOf(fields, 'origin');
  if (given.length === 0) return !requiresOrigin;
  const [origin = ''] = given;
  if (given.length > 1) return false;
  if (origins === 'any') return true;
  if (origins !== null) return origins.has(origin);
  // `null`, and what is no URL, is nobody's own.
  return URL.canParse(origin) && new URL(origin).host === valuesOf(fields, 'host')[0]?.toLowerCase();
}

function valuesOf(fields: RawHeaders, name: string): string[] {
  return fields.filter((_, index) => index % 2 === 1 && fields[index - 1] === name);
}

function listOf(fields: RawHeaders, name: string): string[] {
  const values = valuesOf(fields, name).join(',').split(',');
  return values.map((each) => each.trim()).filter((each) => each !== '');
}
