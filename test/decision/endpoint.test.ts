/** The decision endpoint as each kind of proxy asks it. Hardening numbers as in `test/hardening`. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mint } from '../hardening/arena.ts';
import { RawClient } from '../support/raw-client.ts';
import { until } from '../support/until.ts';
import { codeIn, Site } from './site.ts';

let site: Site;
beforeAll(async () => {
  site = await Site.start();
});
afterAll(() => site.stop());

const wrong = { token: 'a.b.c' };

describe('a decision', () => {
  it.each(['askOriginal', 'askForwarded', 'askBelow'] as const)(
    'allows with 200, the fields for the upstream and its tag, by %s',
    async (ask) => {
      const yes = await site[ask]({ target: '/orders/7?x=1', token: mint({ sub: 'alice' }) });
      expect(yes.status).toBe(200);
      expect(yes.text).toBe('');
      expect(yes.values('x-user')).toEqual(['alice']);
      expect(yes.values('x-via-policy')).toEqual(['yes']);
      expect(yes.values('x-org-unit')).toEqual([]);
      expect(yes.values('authorization')).toEqual([]);
      expect(yes.values('x-sallyport-upstream')).toEqual(['orders']);
      expect(yes.values('cache-control')).toEqual(['no-store']);
    },
  );

  it('C3: is 401 with a bare challenge without a token, and with invalid_token for a bad one', async () => {
    const none = await site.askOriginal({ target: '/orders/7' });
    expect([none.status, codeIn(none)]).toEqual([401, 'credentials_missing']);
    expect(none.values('www-authenticate')).toEqual(['Bearer realm="sallyport"']);
    const bad = await site.askForwarded({ target: '/orders/7', ...wrong });
    expect(bad.status).toBe(401);
    expect(bad.values('www-authenticate')[0]).toContain('error="invalid_token"');
  });

  it('C3: is 403 with the scopes that are asked for', async () => {
    const no = await site.askBelow({ target: '/orders/7', token: mint({ scope: 'other' }) });
    expect([no.status, codeIn(no)]).toEqual([403, 'scope_insufficient']);
    expect(no.values('www-authenticate')[0]).toContain('scope="orders:read"');
  });

  it('goes by the method that is asked about, not by that of the question', async () => {
    const token = mint({ sub: 'alice', scope: 'orders:read orders:write' });
    expect((await site.askOriginal({ method: 'PUT', target: '/orders/alice/cart', token })).status).toBe(200);
    const other = await site.askOriginal({ method: 'PUT', target: '/orders/bob/cart', token });
    expect(codeIn(other)).toBe('subject_mismatch');
  });

  it('waits for a token that must be verified first, and knows it the second time', async () => {
    const token = mint();
    for (const _ of ['miss', 'hit'])
      expect((await site.askForwarded({ target: '/orders/7', token })).status).toBe(200);
  });

  it('tells no upstream where the gateway has to answer by itself', async () => {
    const yes = await site.askOriginal({ target: '/own', token: mint() });
    expect([yes.status, yes.values('x-sallyport-upstream')]).toEqual([200, []]);
  });

  it('hands the Authorization field on where the route forwards it', async () => {
    const token = mint();
    const yes = await site.askOriginal({ target: '/orders/passing', token });
    expect(yes.values('authorization')).toEqual([`Bearer ${token}`]);
  });

  it('refuses a claim that cannot be a field, or that is required and absent', async () => {
    for (const [target, org] of [
      ['/orders/7', 'a\nb'],
      ['/orders/named', undefined],
    ] as const) {
      const no = await site.askOriginal({ target, token: mint({ org }) });
      expect([no.status, codeIn(no)]).toEqual([403, 'claim_unforwardable']);
    }
  });

  it('C2: looks at exactly one Authorization field', async () => {
    const token = mint();
    const twice = await site.askForwarded({
      target: '/orders/7',
      token,
      fields: `Authorization: Bearer ${token}\r\n`,
    });
    expect([twice.status, codeIn(twice)]).toEqual([400, 'credentials_ambiguous']);
  });
});

describe('what no route has', () => {
  it('is 404 or 405, and 403 where that is configured or nothing else is understood', async () => {
    const asks = [
      [await site.askForwarded({ target: '/nowhere' }), 404, 'route_not_found'],
      [await site.askForwarded({ method: 'PUT', target: '/own' }), 405, 'method_not_allowed'],
      [await site.askForwarded({ target: '/nowhere' }, '/strict'), 403, 'route_not_found'],
      [await site.askForwarded({ method: 'PUT', target: '/own' }, '/strict'), 403, 'method_not_allowed'],
      [await site.askOriginal({ target: '/nowhere' }), 403, 'route_not_found'],
      [await site.askBelow({ target: '/nowhere' }), 404, 'route_not_found'],
      [await site.askForwarded({ method: 'BREW', target: '/own' }), 403, 'method_not_supported'],
    ] as const;
    for (const [answer, status, code] of asks)
      expect([answer.status, codeIn(answer)]).toEqual([status, code]);
    expect(asks[1][0].values('allow')).toEqual(['GET, HEAD']);
  });
});

describe('P2: the path that is asked about', () => {
  it.each(['/open/../orders', '/open/%2e%2e/orders', '/open//x', '/open/a%2Fb', '/open/x;y', '/open/%5cx', '/open/%00', '/open/%c0%ae', 'http://x/open', '*', '/open/#x', '/open/%', 'open'])(
    'is refused as it would be here: %s',
    async (target) => {
      const direct = await site.direct({ target: target.startsWith('/') ? target : '/open/%' });
      for (const ask of [site.askForwarded({ target }), site.askForwarded({ target }, '/-/decide/traefik')]) {
        const answer = await ask;
        expect(answer.status).toBe(400);
        if (target.startsWith('/')) expect(codeIn(answer)).toBe(codeIn(direct));
      }
      expect((await site.askOriginal({ target })).status).toBe(403);
      if (target.startsWith('/')) expect((await site.askBelow({ target })).status).toBe(400);
    },
  ); // prettier-ignore

  it('may be odd where the route allows it', async () => {
    for (const target of ['/lenient/a;b', '/lenient/a%2Fb', '/lenient//x'])
      expect((await site.askOriginal({ target })).status).toBe(200);
  });

  it('is no longer than a target may be', async () => {
    const answer = await site.askForwarded({ target: `/open/${'a'.repeat(8192)}` });
    expect([answer.status, codeIn(answer)]).toEqual([414, 'target_too_long']);
  });
});

describe('the question', () => {
  it.each([
    ['neither field', ''],
    ['no method', 'X-Original-URI: /open/x\r\n'],
    ['no path', 'X-Original-Method: GET\r\n'],
    ['the fields of another mode', 'X-Forwarded-Method: GET\r\nX-Forwarded-Uri: /open/x\r\n'],
    ['fields with underscores', 'X_Original_Method: GET\r\nX_Original_URI: /open/x\r\n'],
  ])('is missing with %s', async (_, fields) => {
    const answer = await site.send(`GET /-/decide/nginx HTTP/1.1\r\nHost: a\r\n${fields}\r\n`);
    expect([answer.status, codeIn(answer)]).toEqual([400, 'decision_question_missing']);
  });

  it('is ambiguous when a field comes twice, alike or not', async () => {
    for (const field of [
      'X-Original-URI: /open/x\r\n',
      'X-Original-Method: GET\r\n',
      'X-Original-URI: /orders\r\n',
    ]) {
      const answer = await site.askOriginal({ target: '/open/x', fields: field });
      expect([answer.status, codeIn(answer)]).toEqual([400, 'decision_question_ambiguous']);
    }
  });

  it('is not changed by the fields of other modes, which callers may send', async () => {
    const fields = 'X-Original-URI: /open/x\r\nX-Original-Method: GET\r\nX-Rewrite-Url: /open/x\r\n';
    expect((await site.askForwarded({ target: '/orders/7', fields })).status).toBe(401);
    expect((await site.askBelow({ target: '/orders/7', fields })).status).toBe(401);
  });

  it('is taken from listed peers only, whatever it asks', async () => {
    for (const mount of ['/-/decide/nginx', '/-/decide/batch', '/-/decide/envoy/open/x']) {
      const bytes = `GET ${mount} HTTP/1.1\r\nHost: a\r\nX-Original-Method: GET\r\nX-Original-URI: /open/x\r\n\r\n`;
      const answer = await site.send(bytes, 'GET', '127.0.0.2');
      expect([answer.status, codeIn(answer)]).toEqual([403, 'decision_peer_unknown']);
    }
  });

  it('may come with hop-by-hop fields, an upgrade and a body, which mean nothing', async () => {
    const fields =
      'Connection: Upgrade, Authorization\r\nUpgrade: websocket\r\nTE: trailers\r\nContent-Length: 5\r\n';
    const yes = await site.askOriginal({ target: '/orders/7', token: mint(), fields, body: 'hello' });
    expect(yes.status).toBe(200);
  });

  it('H6: is answered by itself on a connection that carries many', async () => {
    const client = await RawClient.connect(site.port);
    const ask = (target: string, token = ''): string =>
      `GET /-/decide/nginx HTTP/1.1\r\nHost: a\r\n${token}X-Original-Method: GET\r\nX-Original-URI: ${target}\r\n\r\n`;
    const statuses = [];
    for (const bytes of [
      ask('/orders/7', `Authorization: Bearer ${mint()}\r\n`),
      ask('/orders/7'),
      ask('/%'),
      ask('/open/x'),
    ]) {
      client.send(bytes);
      statuses.push((await client.read()).status);
    }
    client.destroy();
    expect(statuses).toEqual([200, 401, 403, 200]);
  });

  it('can bind the answer to the upstream that the proxy uses', async () => {
    const ask = (upstream: string) =>
      site.askForwarded({ target: '/open/x' }, `/-/decide/traefik?upstream=${upstream}`);
    expect((await ask('billing')).status).toBe(200);
    const other = await ask('orders');
    expect([other.status, codeIn(other)]).toEqual([403, 'decision_upstream_mismatch']);
    for (const mount of ['caddy', 'nginx'] as const) {
      // A query that a caller sent, as Caddy hands it on.
      const path = `/-/decide/${mount}?upstream=orders`;
      const yes = await (mount === 'caddy'
        ? site.askForwarded({ target: '/open/x' }, path)
        : site.askOriginal({ target: '/open/x' }, path));
      expect(yes.status).toBe(200);
    }
    const own = site.askForwarded({ target: '/own', token: mint() }, '/-/decide/traefik?upstream=');
    expect((await own).status).toBe(200);
  });
});

it('Envoy is told to take out what the answer has nothing to put in place of', async () => {
  const yes = await site.askBelow({ target: '/orders/7', token: mint({ sub: 'alice' }) });
  const removed = yes.values('x-envoy-auth-headers-to-remove')[0]!.split(',');
  expect(removed.toSorted()).toEqual(['authorization', 'x-groups', 'x-org-unit']);
});

it('a question that nobody waits for any more is dropped', async () => {
  const client = await RawClient.connect(site.port);
  client.send(
    `GET /-/decide/nginx HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${mint()}\r\nX-Original-Method: GET\r\nX-Original-URI: /orders/1\r\n\r\n`,
  );
  client.reset();
  expect((await site.askOriginal({ target: '/open/x' })).status).toBe(200);
});

it('the same listener still forwards', async () => {
  const answer = await site.direct({ target: '/open/direct' });
  expect([answer.status, answer.text]).toEqual([200, 'billing GET /open/direct']);
  // And nothing of all that was asked before.
  expect(site.reached.map(({ target }) => target)).toEqual(['/open/direct']);
});

it('counts questions by mode and outcome', async () => {
  const count = (mode: string, outcome: string) =>
    site.gateway.metric('sallyport_decisions_asked_total', `mode="${mode}"`, `outcome="${outcome}"`);
  expect(await count('haproxy', 'allowed')).toBe(0);
  await site.askOriginal({ target: '/open/x' }, '/-/decide/haproxy');
  await site.askOriginal({ target: '/nowhere' }, '/-/decide/haproxy');
  await site.send('GET /-/decide/haproxy HTTP/1.1\r\nHost: a\r\n\r\n');
  expect(await count('haproxy', 'allowed')).toBe(1);
  expect(await count('haproxy', 'denied')).toBe(1);
  expect(await count('haproxy', 'refused')).toBe(1);
  expect(await site.gateway.metric('sallyport_authz_decisions_total', 'route="/open/*"')).toBeGreaterThan(0);
});

it('the access log tells of the request that was asked about', async () => {
  await site.askOriginal({ method: 'DELETE', target: '/own?secret=1' });
  const line = await until('the line', () =>
    site.gateway.logs.find((entry) => entry['method'] === 'DELETE' && JSON.stringify(entry).includes('/own')),
  );
  expect(line['status']).toBe(403);
  expect(JSON.stringify(line)).toContain('method_not_allowed');
  expect(JSON.stringify(line)).not.toContain('secret=1');
});
