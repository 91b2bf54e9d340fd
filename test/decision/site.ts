/** The gateway with decision mounts, a backend behind it, and the ways to ask it. */
import { keySet } from '../hardening/arena.ts';
import { answer, Backend, type SeenRequest } from '../support/backend.ts';
import { type GatewayOptions, startGateway, type TestGateway, testPreamble } from '../support/gateway.ts';
import { type RawAnswer, RawClient } from '../support/raw-client.ts';
import { issuerName } from '../token/tokens.ts';

/** Routes with all that a decision can turn on. */
export const routesText = `  - prefix: /orders
    issuer: main
    upstream: orders
    scopes: { all: [orders:read] }
    forward: { claims: { x-user: sub, x-org-unit: org }, set: { x-via-policy: 'yes' } }
    routes:
      - { path: '/{id}/cart', methods: [PUT], scopes: { all: [orders:write] }, subject: { param: id } }
      - { path: /named, methods: [GET], forward: { claims: { x-org-unit: { claim: org, required: true } } } }
      - { path: /passing, methods: [GET], forward: { authorization: true } }
  - { prefix: /open, public: true, upstream: billing }
  - { prefix: /lenient, public: true, upstream: billing, allow_in_path: [encoded_slash, semicolon, empty_segment] }
  - { path: /own, issuer: main, methods: [GET], respond: { status: 204 }, scopes: { any: [orders:read] } }
`;

const mountsText = `decision:
  peers: [127.0.0.1]
  mounts:
    - { mode: nginx }
    - { mode: caddy }
    - { mode: traefik }
    - { mode: envoy }
    - { mode: haproxy }
    - { mode: batch }
    - { mode: caddy, path: /strict, unmatched: 403 }
`;

export interface SiteOptions extends GatewayOptions {
  readonly decision?: string;
  readonly preamble?: string;
  readonly routes?: string;
  /** Where the keys of the issuer are. */
  readonly keys?: string;
}

export interface Question {
  readonly method?: string;
  readonly target: string;
  readonly token?: string;
  /** Further field lines of the asking request, each with its CRLF. */
  readonly fields?: string;
  readonly body?: string;
}

export class Site {
  readonly gateway: TestGateway;
  readonly orders: Backend;
  readonly billing: Backend;

  static async start(options: SiteOptions = {}): Promise<Site> {
    const echo =
      (name: string) =>
      ({ method, target }: SeenRequest) =>
        answer(`${name} ${method} ${target}`);
    const orders = await Backend.replying(echo('orders'));
    const billing = await Backend.replying(echo('billing'));
    const config = configOf(orders.url, billing.url, options);
    const gateway = await startGateway(config, {
      ...options,
      files: { 'keys.json': keySet, ...options.files },
    });
    return new Site(gateway, orders, billing);
  }

  private constructor(gateway: TestGateway, orders: Backend, billing: Backend) {
    this.gateway = gateway;
    this.orders = orders;
    this.billing = billing;
  }

  get port(): number {
    return Number(new URL(this.gateway.url).port);
  }

  /** Everything that reached an upstream. */
  get reached(): readonly SeenRequest[] {
    return [...this.orders.requests, ...this.billing.requests];
  }

  /** Sends bytes from an address of this machine. */
  async send(bytes: string, method = 'GET', from?: string): Promise<RawAnswer> {
    const client = await RawClient.connect(this.port, '127.0.0.1', from);
    try {
      client.send(bytes);
      return await client.read({ method });
    } finally {
      client.destroy();
    }
  }

  /** Asks as nginx and HAProxy do. */
  async askOriginal(
    { method = 'GET', target, ...more }: Question,
    mount = '/-/decide/nginx',
  ): Promise<RawAnswer> {
    const fields = `X-Original-Method: ${method}\r\nX-Original-URI: ${target}\r\n${more.fields ?? ''}`;
    return await this.send(requestOf('GET', mount, { ...more, fields }));
  }

  /** Asks as Caddy and Traefik do. */
  async askForwarded(
    { method = 'GET', target, ...more }: Question,
    mount = '/-/decide/caddy',
  ): Promise<RawAnswer> {
    const fields = `X-Forwarded-Method: ${method}\r\nX-Forwarded-Uri: ${target}\r\n${more.fields ?? ''}`;
    return await this.send(requestOf('GET', mount, { ...more, fields }));
  }

  /** Asks as Envoy does. */
  async askBelow({ method = 'GET', target, ...more }: Question): Promise<RawAnswer> {
    return await this.send(requestOf(method, `/-/decide/envoy${target}`, more), method);
  }

  async direct({ method = 'GET', target, ...more }: Question): Promise<RawAnswer> {
    return await this.send(requestOf(method, target, more), method);
  }

  async stop(): Promise<void> {
    await this.gateway.stop();
    await Promise.all([this.orders.close(), this.billing.close()]);
  }
}

export function requestOf(method: string, target: string, more: Omit<Question, 'method' | 'target'>): string {
  const { token, fields = '', body = '' } = more;
  const credentials = token === undefined ? '' : `Authorization: Bearer ${token}\r\n`;
  return `${method} ${target} HTTP/1.1\r\nHost: site.example\r\n${credentials}${fields}\r\n${body}`;
}

export const configOf = (
  ordersUrl: string,
  billingUrl: string,
  {
    decision = mountsText,
    preamble = testPreamble,
    routes = routesText,
    keys = 'jwks_file: keys.json',
  }: SiteOptions = {},
): string => `${preamble}log: { access: all }
identity_headers: [x-groups]
issuers:
  main:
    issuer: ${issuerName}
    audiences: [orders]
    algorithms: [RS256, ES256, EdDSA]
    keys: { ${keys} }
upstreams:
  orders: { urls: ['${ordersUrl}'] }
  billing: { urls: ['${billingUrl}'] }
${decision}routes:
${routes}`;

export const codeIn = ({ text }: RawAnswer): string =>
  text === '' ? '' : (JSON.parse(text) as { code: string }).code;
