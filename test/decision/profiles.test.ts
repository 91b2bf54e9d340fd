/** A proxy hands its caller the denial that it got: in the error profile of the route that was asked about. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mint } from '../hardening/arena.ts';
import { describeWith } from '../support/debian.ts';
import { type FrontProcess, startFront } from '../support/front.ts';
import { testPreamble } from '../support/gateway.ts';
import { RawClient, type RawAnswer } from '../support/raw-client.ts';
import { codeIn, type Question, requestOf, Site } from './site.ts';

let site: Site;
beforeAll(async () => {
  site = await Site.start({
    preamble: `${testPreamble}error_profiles:
  fastapi: { body: detail, reasons: true }
  named: { body: detail, challenge: true }
`,
    routes: `  - prefix: /ti
    issuer: main
    upstream: orders
    error_profile: fastapi
    closed: true
    routes:
      - { path: '/{id}/run', methods: [PUT], subject: { param: id, detail: 'not this instance' }, scopes: { all: [orders:write] } }
  - { prefix: /named, issuer: main, upstream: orders, error_profile: named }
  - { prefix: /orders, issuer: main, upstream: orders, scopes: { all: [orders:read] } }
`,
  });
});
afterAll(() => site.stop());

interface Denial extends Question {
  readonly what: string;
  /** Of the answer of the gateway where it forwards by itself. */
  readonly status: number;
  readonly says: string | RegExp;
}

const run = { method: 'PUT', target: '/ti/7/run' };
const detail = (text: string): string => JSON.stringify({ detail: text });

const denials: readonly Denial[] = [
  { what: 'no token', ...run, status: 401, says: detail('Missing auth token') },
  { what: 'a bad token', ...run, token: 'a.b.c', status: 403, says: /Invalid auth token: / },
  { what: 'an old token', ...run, token: mint({ exp: 1 }), status: 403, says: detail('Invalid auth token: Signature has expired') },
  { what: 'another subject', ...run, token: mint({ sub: '8', scope: 'orders:write' }), status: 403, says: detail('not this instance') },
  { what: 'too little scope', ...run, token: mint({ sub: '7' }), status: 403, says: /"detail"/ },
  { what: 'nothing below a closed prefix', target: '/ti/else', status: 404, says: detail('Not Found') },
  { what: 'another method', method: 'GET', target: '/ti/7/run', status: 405, says: detail('Method Not Allowed') },
  { what: 'another profile', target: '/named/x', token: 'a.b.c', status: 403, says: detail('Invalid auth token') },
  { what: 'no profile', target: '/orders/x', token: 'a.b.c', status: 401, says: /"code":"token_malformed"/ },
]; // prettier-ignore

/** What the caller gets to see of a denial. */
const shown = (answer: RawAnswer): readonly unknown[] => [
  answer.status,
  answer.values('content-type'),
  answer.values('www-authenticate'),
  answer.values('allow'),
  answer.text,
];

it.each(denials)('here it is $status with its body: $what', async ({ status, says, ...question }) => {
  const answer = await site.direct(question);
  expect(answer.status).toBe(status);
  expect(answer.text).toMatch(says);
});

describe('a decision about the same request', () => {
  it.each(denials)('is the same answer: $what', async (denial) => {
    const direct = shown(await site.direct(denial));
    for (const mount of ['caddy', 'traefik'])
      expect([mount, ...shown(await site.askForwarded(denial, `/-/decide/${mount}`))]).toEqual([mount, ...direct]); // prettier-ignore
    expect(shown(await site.askOriginal(denial, '/-/decide/haproxy'))).toEqual(direct);
    expect(shown(await site.askBelow(denial))).toEqual(direct);
  });

  it.each(denials)('keeps to the statuses that its asker can take: $what', async (denial) => {
    const taken = denial.status === 401 ? 401 : 403;
    expect((await site.askOriginal(denial)).status).toBe(taken);
    const strict = await site.askForwarded(denial, '/strict');
    expect(strict.status).toBe(taken);
    expect(strict.text).toMatch(denial.says);
  });

  it('that is one of a batch is told with its code and own status', async () => {
    const body = JSON.stringify({ requests: [{ method: 'PUT', path: '/ti/7/run', token: 'a.b.c' }] });
    const answer = await site.send(requestOf('POST', '/-/decide/batch', { fields: `Content-Length: ${body.length}\r\n`, body })); // prettier-ignore
    expect(JSON.parse(answer.text)).toMatchObject({ decisions: [{ status: 401, code: 'token_malformed' }] });
  });

  it('that is malformed is told to whoever set up the proxy', async () => {
    const answer = await site.send(requestOf('GET', '/-/decide/caddy', {}));
    expect([answer.status, codeIn(answer)]).toEqual([400, 'decision_question_missing']);
  });
});

for (const program of ['caddy', 'haproxy', 'nginx'] as const) {
  describeWith(program, `through ${program}, by the snippet as printed`, () => {
    let front: FrontProcess;
    beforeAll(async () => {
      front = await startFront(program, site.gateway.configFile, site.gateway.url);
    });
    afterAll(() => front.stop());

    it.each(denials)('a caller sees what the gateway would have said: $what', async (denial) => {
      const { method = 'GET', target, status } = denial;
      const through = await RawClient.once(front.port, requestOf(method, target, denial));
      const direct = await site.direct(denial);
      // nginx has a page of its own for a denial, and two statuses.
      if (program === 'nginx') {
        expect(through.status).toBe(status === 401 ? 401 : 403);
        expect(through.values('www-authenticate')).toEqual(status === 401 ? direct.values('www-authenticate') : []); // prettier-ignore
      } else expect(shown(through)).toEqual(shown(direct));
    });
  });
}
