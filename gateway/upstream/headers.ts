/**
 * The fields of a request on its way to an upstream. What a route does with them is compiled once; a request then costs
 * one map lookup for each of its fields.
 *
 * Taken out of every request: framing and hop-by-hop fields (RFC 9110 section 7.6.1), identity fields and those that the
 * route makes itself, in any spelling, and fields by which frameworks let a caller name another method or path than the
 * ones that were decided. Made anew: Host, Forwarded (RFC 7239), X-Forwarded-*, Via (RFC 9110 section 7.6.3), the id.
 */
import type { Exchange } from '../core/exchange.ts';
import type { Refusal } from '../core/errors.ts';
import type { Facts } from '../core/facts.ts';
import { traceFields } from '../core/trace-context.ts';
import { addIdentity } from '../route/identity.ts';
import type { Forwarding } from '../route/policy.ts';

const PASS = 0;
const DROP = 1;
const CONNECTION = 2;
const HOST = 3;
const VIA = 4;
const FORWARDED = 5;
const FORWARDED_FOR = 6;
const FORWARDED_PROTO = 7;
const FORWARDED_HOST = 8;
const FORWARDED_PORT = 9;
const CERTIFICATE = 10;

const dropped = [
  'content-length',
  'expect',
  'http2-settings',
  // Of one connection, and of one that becomes a WebSocket. The subprotocol may have carried a token.
  'sec-websocket-accept',
  'sec-websocket-extensions',
  'sec-websocket-key',
  'sec-websocket-protocol',
  'sec-websocket-version',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  // CGI programs take this one for the proxy they should use.
  'proxy',
  // Another method or path than what was decided.
  'x-http-method',
  'x-http-method-override',
  'x-method-override',
  'x-original-url',
  'x-rewrite-url',
  // The caller's address, as it is called where X-Forwarded-For is not.
  'x-real-ip',
];

const special: readonly (readonly [string, number])[] = [
  ['connection', CONNECTION],
  ['host', HOST],
  ['via', VIA],
  ['forwarded', FORWARDED],
  ['x-forwarded-for', FORWARDED_FOR],
  ['x-forwarded-proto', FORWARDED_PROTO],
  ['x-forwarded-host', FORWARDED_HOST],
  ['x-forwarded-port', FORWARDED_PORT],
  ['client-cert', CERTIFICATE],
  ['client-cert-chain', CERTIFICATE],
];

/** Fields of most requests, so that they are found at once. */
const usual = ['accept', 'accept-encoding', 'accept-language', 'content-type', 'cookie', 'user-agent'];

export interface HeaderSettings {
  /** Lower-case names, `-` for `_`. */
  readonly identityHeaders: ReadonlySet<string>;
  /** Lower case. */
  readonly requestIdHeader: string;
  /** The caller's trace context is passed on as it came. */
  readonly keepsTrace: boolean;
}

export class HeaderPlan {
  readonly requestIdHeader: string;

  readonly #forwarding: Forwarding;
  readonly #actions = new Map<string, number>();

  constructor(forwarding: Forwarding, settings: HeaderSettings) {
    this.#forwarding = forwarding;
    this.requestIdHeader = settings.requestIdHeader;
    const names = [
      ...dropped,
      ...settings.identityHeaders,
      ...forwarding.claims.map((claim) => claim.name),
      ...forwarding.set.filter((_, index) => index % 2 === 0),
      ...forwarding.remove,
      settings.requestIdHeader,
    ];
    if (!forwarding.authorization) names.push('authorization');
    if (!settings.keepsTrace) names.push(...traceFields);
    for (const name of usual) this.#actions.set(name, PASS);
    for (const name of names) this.#actions.set(name.toLowerCase().replaceAll('_', '-'), DROP);
    for (const [name, action] of special) this.#actions.set(name, action);
  }

  /**
   * Makes the fields for the upstream, without those that frame the body.
   *
   * Shape: name, value, name, value. Errors: `claim_unforwardable`, when a claim cannot be a field or a required one is absent.
   * Source: RFC 9110 section 7.6, RFC 7239.
   */
  build(exchange: Exchange, facts: Facts | null): string[] | Refusal {
    const { headers, peerTrusted } = exchange;
    const fields: string[] = [];
    let nominated: Set<string> | null = null;
    let [host, via] = ['', ''];
    // What a trusted peer says of the caller before it.
    let [forwarded, forwardedFor, proto, originalHost, port] = ['', '', '', '', ''];
    for (let i = 0; i < headers.length; i += 2) {
      const name = headers[i]!;
      const value = headers[i + 1]!;
      switch (this.#actions.get(name) ?? this.#judge(name)) {
        case PASS:
          fields.push(name, value);
          break;
        case CONNECTION:
          nominated = nominate(nominated, value);
          break;
        case HOST:
          host = value;
          break;
        case VIA:
          via = listed(via, value);
          break;
        case FORWARDED:
          if (peerTrusted) forwarded = listed(forwarded, value);
          break;
        case FORWARDED_FOR:
          if (peerTrusted) forwardedFor = listed(forwardedFor, value);
          break;
        case FORWARDED_PROTO:
          if (peerTrusted) proto = value;
          break;
        case FORWARDED_HOST:
          if (peerTrusted) originalHost = value;
          break;
        case FORWARDED_PORT:
          if (peerTrusted) port = value;
          break;
        case CERTIFICATE:
          // RFC 9440 section 4: callers do not say by themselves which certificate they have shown.
          if (peerTrusted) fields.push(name, value);
          break;
        default:
      }
    }
    // Only what the caller sent can be nominated away; what follows is ours.
    const out = nominated === null ? fields : without(fields, nominated);

    if (this.#forwarding.host === 'original') out.push('host', host);
    const peer = exchange.peerAddress;
    const own = exchange.secure ? 'https' : 'http';
    const scheme = proto === 'https' || proto === 'http' ? proto : own;
    out.push(
      'via',
      listed(via, '1.1 sallyport'),
      'forwarded',
      listed(forwarded, forwardedElement(peer, host, own)),
      'x-forwarded-for',
      listed(forwardedFor, peer),
      'x-forwarded-proto',
      scheme,
      'x-forwarded-host',
      originalHost === '' ? host : originalHost,
      'x-forwarded-port',
      /^\d{1,5}$/.test(port) ? port : portOf(originalHost === '' ? host : originalHost, scheme),
      this.requestIdHeader,
      exchange.requestId,
    );
    if (exchange.traceFields !== null) out.push(...exchange.traceFields);
    return addIdentity(this.#forwarding, facts, out) ?? out;
  }

  /** For names that no route knows. Not remembered: callers choose them. */
  #judge(name: string): number {
    if (name.includes('_')) {
      const normal = name.replaceAll('_', '-');
      return (this.#actions.get(normal) ?? this.#judge(normal)) === PASS ? PASS : DROP;
    }
    return name.startsWith('x-forwarded-') || name.startsWith('proxy-') ? DROP : PASS;
  }
}

const listed = (before: string, value: string): string => (before === '' ? value : `${before}, ${value}`);

function nominate(names: Set<string> | null, value: string): Set<string> | null {
  if (value === 'keep-alive' || value === 'close') return names;
  const all = names ?? new Set<string>();
  for (const option of value.split(',')) all.add(option.trim().toLowerCase());
  return all;
}

function without(fields: readonly string[], names: ReadonlySet<string>): string[] {
  const kept: string[] = [];
  for (let i = 0; i < fields.length; i += 2)
    if (!names.has(fields[i]!)) kept.push(fields[i]!, fields[i + 1]!);
  return kept;
}

/** RFC 7239 sections 4 and 6: an IPv6 address is bracketed and quoted. */
function forwardedElement(peer: string, host: string, scheme: string): string {
  const node = peer.includes(':') ? `"[${peer}]"` : peer;
  return /["\\]/.test(host) ? `for=${node};proto=${scheme}` : `for=${node};host="${host}";proto=${scheme}`;
}

function portOf(authority: string, scheme: string): string {
  const port = /:(\d{1,5})$/.exec(authority)?.[1];
  return port ?? (scheme === 'https' ? '443' : '80');
}
