/**
 * Traefik and Envoy, which Debian does not package: requests and rules written down from their documentation, not taken
 * from running programs. Traefik 3: the ForwardAuth middleware. Envoy 1.3x: `envoy.filters.http.ext_authz`, HTTP service.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mint } from '../hardening/arena.ts';
import type { RawAnswer } from '../support/raw-client.ts';
import { snippetOf } from '../support/front.ts';
import { codeIn, Site } from './site.ts';

let site: Site;
beforeAll(async () => {
  site = await Site.start();
});
afterAll(() => site.stop());

type Fields = readonly (readonly [name: string, value: string])[];

const lines = (fields: Fields): string => fields.map(([name, value]) => `${name}: ${value}\r\n`).join('');

/** Always GET, the original in X-Forwarded-*, no body; `authRequestHeaders` limits what else comes. */
function traefikAsks(service: string, method: string, uri: string, token?: string): Promise<RawAnswer> {
  const fields: Fields = [
    ['Host', `127.0.0.1:${site.port}`],
    ['User-Agent', 'Go-http-client/1.1'],
    ...(token === undefined ? [] : ([['Authorization', `Bearer ${token}`]] as const)),
    ['X-Forwarded-For', '192.0.2.7'],
    ['X-Forwarded-Host', 'shop.example'],
    ['X-Forwarded-Method', method],
    ['X-Forwarded-Port', '443'],
    ['X-Forwarded-Proto', 'https'],
    ['X-Forwarded-Server', 'traefik-0'],
    ['X-Forwarded-Uri', uri],
    ['Accept-Encoding', 'gzip'],
  ];
  return site.send(`GET /-/decide/traefik?upstream=${service} HTTP/1.1\r\n${lines(fields)}\r\n`);
}

/** The original method, `path_prefix` before the original path, the original Host, an empty body. */
function envoyAsks(method: string, target: string, token?: string): Promise<RawAnswer> {
  const fields: Fields = [
    ['host', 'shop.example'],
    ['content-length', '0'],
    ...(token === undefined ? [] : ([['authorization', `Bearer ${token}`]] as const)),
    ['x-envoy-internal', 'true'],
    ['x-forwarded-for', '192.0.2.7'],
    ['x-envoy-expected-rq-timeout-ms', '5000'],
  ];
  return site.send(`${method} /-/decide/envoy${target} HTTP/1.1\r\n${lines(fields)}\r\n`, method);
}

describe('Traefik, by its documentation', () => {
  /** `authResponseHeadersRegex`: what matches is taken out of the request, then copied from the answer. */
  function upstreamFields(caller: Fields, answer: RawAnswer): Fields {
    const snippet = snippetOf(site.gateway.configFile, 'traefik', '--gateway', '127.0.0.1:1');
    const source = JSON.parse(/authResponseHeadersRegex: (".*")/.exec(snippet)![1]!) as string;
    const owned = new RegExp(source.replace('(?i)', ''), 'i');
    return [
      ...caller.filter(([name]) => !owned.test(name)),
      ...answer.fields.filter(([name]) => owned.test(name)),
    ];
  }

  it('is answered for every verdict', async () => {
    const token = mint({ sub: 'alice', scope: 'orders:read orders:write' });
    const statuses = [
      await traefikAsks('orders', 'GET', '/orders/7?x=1', token),
      await traefikAsks('orders', 'PUT', '/orders/alice/cart', token),
      await traefikAsks('orders', 'PUT', '/orders/bob/cart', token),
      await traefikAsks('orders', 'GET', '/orders/7'),
      await traefikAsks('orders', 'GET', '/nowhere'),
      await traefikAsks('billing', 'GET', '/open/%2e%2e/orders/7', token),
    ].map(({ status }) => status);
    expect(statuses).toEqual([200, 200, 403, 401, 404, 400]);
  });

  it('gets no yes for a service that the route does not lead to', async () => {
    const answer = await traefikAsks('billing', 'GET', '/orders/7', mint());
    expect([answer.status, codeIn(answer)]).toEqual([403, 'decision_upstream_mismatch']);
  });

  it('C4: leaves no forged field to the upstream', async () => {
    const forged: Fields = [
      ['X-User', 'root'],
      ['X_user', 'root'],
      ['X-Org_Unit', 'root'],
      ['X-Groups', 'root'],
      ['Authorization', 'x'],
      ['Accept', '*/*'],
    ];
    const yes = await traefikAsks('orders', 'GET', '/orders/7', mint({ sub: 'alice' }));
    expect(
      upstreamFields(forged, yes)
        .map(([name, value]) => `${name.toLowerCase()}: ${value}`)
        .toSorted(),
    ).toEqual(['accept: */*', 'x-user: alice', 'x-via-policy: yes']);
    const open = await traefikAsks('billing', 'GET', '/open/x');
    expect(upstreamFields(forged, open)).toEqual([['Accept', '*/*']]);
  });
});

describe('Envoy, by its documentation', () => {
  it('is answered for every verdict, with the method and path as they came', async () => {
    const token = mint({ sub: 'alice', scope: 'orders:read orders:write' });
    const statuses = [
      await envoyAsks('GET', '/orders/7?x=1', token),
      await envoyAsks('PUT', '/orders/alice/cart', token),
      await envoyAsks('HEAD', '/orders/7', token),
      await envoyAsks('PUT', '/orders/bob/cart', token),
      await envoyAsks('GET', '/orders/7'),
      await envoyAsks('GET', '/nowhere'),
      await envoyAsks('GET', '/open/%2e%2e/orders/7', token),
      await envoyAsks('GET', '/../envoy/open/x', token),
      await envoyAsks('GET', '', token),
    ].map(({ status }) => status);
    expect(statuses).toEqual([200, 200, 200, 403, 401, 404, 400, 400, 404]);
  });

  it('C4: takes out whatever it does not put in', async () => {
    const snippet = snippetOf(site.gateway.configFile, 'envoy', '--gateway', '127.0.0.1:1');
    const allowed = new Set([...snippet.matchAll(/- exact: (\S+)/g)].map((match) => match[1]!));
    const early = new Set([...snippet.matchAll(/- remove: (\S+)/g)].map((match) => match[1]!));
    expect([...allowed].filter((name) => !early.has(name))).toEqual(['authorization']);
    for (const [target, token] of [
      ['/orders/7', mint()],
      ['/open/x', undefined],
    ] as const) {
      const yes = await envoyAsks('GET', target, token);
      const removed = yes.values('x-envoy-auth-headers-to-remove')[0]!.split(',');
      const added = yes.fields.map(([name]) => name.toLowerCase()).filter((name) => allowed.has(name));
      expect([...removed, ...added].toSorted()).toEqual([...allowed].toSorted());
    }
  });
});
