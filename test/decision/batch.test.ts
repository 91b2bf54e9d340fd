/** Many questions in one call. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mint } from '../hardening/arena.ts';
import type { RawAnswer } from '../support/raw-client.ts';
import { codeIn, requestOf, Site } from './site.ts';

let site: Site;
beforeAll(async () => {
  site = await Site.start();
});
afterAll(() => site.stop());

async function post(body: string, token?: string, fields = ''): Promise<RawAnswer> {
  const framed = `Content-Length: ${Buffer.byteLength(body)}\r\n${fields}`;
  const more = { fields: framed, body, ...(token === undefined ? {} : { token }) };
  return await site.send(requestOf('POST', '/-/decide/batch', more));
}

async function decide(
  requests: readonly object[],
  token?: string,
): Promise<readonly Record<string, unknown>[]> {
  const answer = await post(JSON.stringify({ requests }), token);
  expect(answer.status).toBe(200);
  expect(answer.values('cache-control')).toEqual(['no-store']);
  return (JSON.parse(answer.text) as { decisions: Record<string, unknown>[] }).decisions;
}

describe('a batch', () => {
  it('answers in the order of its questions, each by its own token or by that of the batch', async () => {
    const own = mint({ sub: 'bob', scope: 'orders:read orders:write' });
    const answers = await decide(
      [
        { method: 'GET', path: '/orders/7?x=1' },
        { method: 'PUT', path: '/orders/bob/cart' },
        { method: 'PUT', path: '/orders/bob/cart', token: own },
        { method: 'GET', path: '/nowhere' },
        { method: 'PUT', path: '/own' },
        { method: 'GET', path: '/open/../orders' },
        { method: 'GET', path: '/orders/7', token: '' },
        { method: 'GET', path: '/orders/7', token: 'no token' },
        { method: 'GET', path: '/open/x', token: null },
      ],
      mint({ sub: 'alice' }),
    );
    const told = answers.map(({ status, code, route }) => [status, code ?? route]);
    expect(told).toEqual([
      [200, '/orders/*'],
      [403, 'scope_insufficient'],
      [200, 'PUT /orders/{id}/cart'],
      [404, 'route_not_found'],
      [405, 'method_not_allowed'],
      [400, 'path_not_canonical'],
      [401, 'credentials_missing'],
      [400, 'credentials_malformed'],
      [200, '/open/*'],
    ]);
    expect(answers[0]).toEqual({
      allowed: true,
      status: 200,
      route: '/orders/*',
      headers: { 'x-user': 'alice', 'x-via-policy': 'yes', 'x-sallyport-upstream': 'orders' },
      max_age: 0,
    });
    expect(answers[1]).toMatchObject({
      allowed: false,
      challenge: expect.stringContaining('orders:write') as string,
    });
    expect(answers[2]).toMatchObject({ headers: { 'x-user': 'bob' } });
  });

  it('V3: never swaps the verdicts of a hundred tokens, known and unknown', async () => {
    const requests = Array.from({ length: 100 }, (_, index) => ({
      method: 'GET',
      path: `/orders/${index}`,
      token: mint({ sub: `user-${index}`, scope: index % 3 === 0 ? 'other' : 'orders:read' }),
    }));
    const first = await decide(requests);
    const again = await decide(requests);
    for (const answers of [first, again]) {
      for (const [index, answer] of answers.entries()) {
        if (index % 3 === 0) expect(answer).toMatchObject({ code: 'scope_insufficient' });
        else expect(answer).toMatchObject({ headers: { 'x-user': `user-${index}` } });
      }
    }
  });

  it('may be empty', async () => {
    expect(await decide([])).toEqual([]);
  });

  it('agrees with the proxy modes', async () => {
    const token = mint();
    for (const [method, path] of [
      ['GET', '/orders/1'],
      ['PUT', '/orders/1/cart'],
      ['GET', '/lenient//x'],
      ['GET', '/%'],
    ] as const) {
      const [answer] = await decide([{ method, path }], token);
      const asked = await site.askForwarded({ method, target: path, token });
      expect(answer!['status']).toBe(asked.status);
    }
  });
});

describe('a malformed batch', () => {
  const item = { method: 'GET', path: '/open/x' };
  it.each<[string, string]>([
    ['no JSON', '{'],
    ['a list', JSON.stringify([item])],
    ['no list', JSON.stringify({ requests: item })],
    ['101 questions', JSON.stringify({ requests: Array.from({ length: 101 }, () => item) })],
    ['an unknown member', JSON.stringify({ requests: [{ ...item, tokn: 'x' }] })],
    ['another unknown member', JSON.stringify({ requests: [], more: 1 })],
    ['no method', JSON.stringify({ requests: [{ path: '/open/x' }] })],
    ['a number for a path', JSON.stringify({ requests: [{ ...item, path: 5 }] })],
    ['a number for a token', JSON.stringify({ requests: [{ ...item, token: 5 }] })],
    ['null', 'null'],
  ])('is refused whole: %s', async (_, body) => {
    const answer = await post(body);
    expect([answer.status, codeIn(answer)]).toEqual([400, 'decision_batch_invalid']);
  });

  it('is refused without a body, and by another method', async () => {
    expect(codeIn(await post(''))).toBe('decision_batch_invalid');
    const get = await site.send(requestOf('GET', '/-/decide/batch', {}));
    expect([get.status, codeIn(get)]).toEqual([405, 'method_not_allowed']);
  });

  it('is refused by its announced length before it is read', async () => {
    const answer = await site.send(
      requestOf('POST', '/-/decide/batch', { fields: 'Content-Length: 1048577\r\n' }),
    );
    expect([answer.status, codeIn(answer)]).toEqual([413, 'body_too_large']);
  });
});
