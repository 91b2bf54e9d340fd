/** What the fronts must not do with requests that they read in their own way, and that a spoilt snippet is noticed. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mint } from '../hardening/arena.ts';
import { answer, Backend, type SeenRequest } from '../support/backend.ts';
import { describeWith } from '../support/debian.ts';
import { type FrontProcess, type FrontProgram, startFront } from '../support/front.ts';
import { RawClient, type RawAnswer } from '../support/raw-client.ts';
import { requestOf, Site } from './site.ts';

let site: Site;
beforeAll(async () => {
  site = await Site.start();
});
afterAll(() => site.stop());

const fronts: readonly FrontProgram[] = ['nginx', 'caddy', 'haproxy'];

async function through(
  port: number,
  bytes: string,
): Promise<{ answer: RawAnswer; seen: readonly SeenRequest[] }> {
  const before = new Set(site.reached);
  const answer = await RawClient.once(port, bytes);
  return { answer, seen: site.reached.filter((request) => !before.has(request)) };
}

for (const program of fronts) {
  describeWith(program, `${program} with the snippet as printed`, () => {
    let front: FrontProcess;
    beforeAll(async () => {
      front = await startFront(program, site.gateway.configFile, site.gateway.url);
    });
    afterAll(() => front.stop());

    it('C2: two Authorization fields get no verdict of one of them', async () => {
      const [good, bad] = [mint({ sub: 'alice' }), 'no.such.token'];
      for (const [first, second] of [
        [good, bad],
        [bad, good],
        [good, good],
      ] as const) {
        const fields = `Authorization: Bearer ${second}\r\n`;
        const { answer, seen } = await through(
          front.port,
          requestOf('GET', '/orders/7', { token: first, fields }),
        );
        expect([400, 403]).toContain(answer.status);
        expect(seen).toEqual([]);
      }
    });

    it.each(['http://site.example/open/x', 'http://site.example/orders/7', 'http://site.example/open/../orders/7', 'http://site.example//orders/7', 'http://other.example/open/%2e%2e/orders', 'http://site.example?x'])(
      'P3: an absolute form is decided by the path that goes upstream, or refused: %s',
      async (target) => {
        const { seen } = await through(front.port, requestOf('GET', target, {}));
        for (const request of seen) {
          const answer = await site.askOriginal({ target: request.target });
          expect([request.target, answer.status]).toEqual([request.target, 200]);
        }
      },
    ); // prettier-ignore

    it.each(['{env.HOME}', '{http.request.host}', '$request_uri', '%[src]', 'x'.repeat(3000), 'a, b'])(
      'C4: a claim arrives as it is, whatever it would mean to the proxy: %.20s',
      async (sub) => {
        const { answer, seen } = await through(
          front.port,
          requestOf('GET', '/orders/7', { token: mint({ sub }) }),
        );
        expect(answer.status).toBe(200);
        expect(seen[0]!.values('x-user')).toEqual([sub]);
      },
    );

    it('the way to the decision is not open to callers', async () => {
      const fields =
        'X-Original-Method: GET\r\nX-Original-URI: /open/x\r\nX-Forwarded-Method: GET\r\nX-Forwarded-Uri: /open/x\r\n';
      for (const target of [
        '/.sallyport',
        `/-/decide/${program}`,
        '/-/decide/batch',
        '/-/decide/envoy/open/x',
      ]) {
        const { answer, seen } = await through(
          front.port,
          requestOf('GET', target, { token: mint(), fields }),
        );
        expect([403, 404]).toContain(answer.status);
        expect(answer.values('x-sallyport-upstream')).toEqual([]);
        expect(seen).toEqual([]);
      }
    });

    it('H6: many requests on one connection get a verdict each', async () => {
      const client = await RawClient.connect(front.port);
      const statuses: number[] = [];
      for (const token of [mint(), 'no.token', mint(), undefined, mint({ scope: 'other' }), mint()]) {
        client.send(requestOf('GET', '/orders/7', token === undefined ? {} : { token }));
        statuses.push((await client.read()).status);
      }
      client.destroy();
      expect(statuses).toEqual([200, 401, 200, 401, 403, 200]);
    });
  });
}

for (const program of fronts) {
  describeWith(program, `what ${program} asks`, () => {
    it('is the method and the path as they came, once, with the token and without the body', async () => {
      // Stands in for the gateway: says yes, and as no upstream is named gets the request itself behind the question.
      const recorder = await Backend.replying(answer(''));
      const front = await startFront(program, site.gateway.configFile, recorder.url);
      const target = '/lenient//a%2Fb;c?upstream=x&y=%2e';
      const fields = 'Content-Length: 5\r\nX-Original-URI: /forged\r\nX-Forwarded-Uri: /forged\r\n';
      await RawClient.once(front.port, requestOf('PUT', target, { token: 't', fields, body: 'hello' }));
      await front.stop();
      await recorder.close();
      const [question, forwarded] = recorder.requests;
      const kind = program === 'caddy' ? 'forwarded' : 'original';
      expect(recorder.requests).toHaveLength(2);
      expect(question!.method).toBe('GET');
      expect(question!.target.split('?')[0]).toBe(`/-/decide/${program}`);
      expect(question!.values(`x-${kind}-method`)).toEqual(['PUT']);
      expect(question!.values(`x-${kind}-uri`)).toEqual([target]);
      expect(question!.values('authorization')).toEqual(['Bearer t']);
      expect(question!.body.length).toBe(0);
      expect([forwarded!.method, forwarded!.target, String(forwarded!.body)]).toEqual([
        'PUT',
        target,
        'hello',
      ]);
      expect(forwarded!.values('authorization')).toEqual(['Bearer t']);
      expect(recorder.faults).toEqual([]);
    });
  });
}

describe('a spoilt snippet', () => {
  const forged = requestOf('GET', '/open/x', { fields: 'X-Groups: root\r\n' });
  const spoil: Readonly<Record<FrontProgram, (snippet: string) => string>> = {
    nginx: (text) => text.replace(/^.*proxy_set_header X-Groups.*$/m, ''),
    haproxy: (text) => text.replace('["x-groups"] = true,', ''),
    caddy: (text) =>
      text
        .replaceAll(/^.*request_header (?:@none\d+ )?-X-Groups$/gm, '')
        .replace(/(copy_headers.*) X-Groups/, '$1'),
  };
  for (const program of fronts) {
    describeWith(program, `of ${program}`, () => {
      it('lets a forged field through, which these tests would see', async () => {
        const front = await startFront(program, site.gateway.configFile, site.gateway.url, spoil[program]);
        const { seen } = await through(front.port, forged);
        await front.stop();
        expect(seen[0]!.values('x-groups')).toEqual(['root']);
      });
    });
  }
});
