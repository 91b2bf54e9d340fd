/** Answers that say how long they hold, and what they were made of. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { mint } from '../hardening/arena.ts';
import type { RawAnswer } from '../support/raw-client.ts';
import { codeIn, requestOf, Site } from './site.ts';

let site: Site;
beforeAll(async () => {
  site = await Site.start({
    decision: `decision:
  peers: [127.0.0.0/8]
  cache_max_seconds: 60
  mounts: [{ mode: nginx }, { mode: caddy }, { mode: envoy }, { mode: batch }]
`,
  });
});
afterAll(() => site.stop());

const inSeconds = (seconds: number): number => Math.floor(Date.now() / 1000) + seconds;
const maxAge = (answer: RawAnswer): number =>
  Number(/^private, max-age=(\d+)$/.exec(answer.values('cache-control')[0] ?? '')?.[1] ?? Number.NaN);

it('V1: an answer holds until the token expires, and no longer than configured', async () => {
  const short = maxAge(await site.askOriginal({ target: '/orders/1', token: mint({ exp: inSeconds(20) }) }));
  expect(short).toBeGreaterThan(10);
  expect(short).toBeLessThanOrEqual(20);
  expect(maxAge(await site.askOriginal({ target: '/orders/1', token: mint({ exp: inSeconds(600) }) }))).toBe(
    60,
  );
  expect(maxAge(await site.askOriginal({ target: '/open/x' }))).toBe(60);
});

it('a token that is accepted by leeway only is not to be kept', async () => {
  const answer = await site.askOriginal({ target: '/orders/1', token: mint({ exp: inSeconds(-2) }) });
  expect([answer.status, answer.values('cache-control')]).toEqual([200, ['no-store']]);
});

it('a denial is never to be kept', async () => {
  const answer = await site.askOriginal({ target: '/orders/1', token: mint({ scope: 'other' }) });
  expect([answer.status, answer.values('cache-control'), answer.values('vary')]).toEqual([
    403,
    ['no-store'],
    [],
  ]);
});

it('the fields that were looked at are named', async () => {
  const vary = async (answer: Promise<RawAnswer>) => (await answer).values('vary');
  expect(await vary(site.askOriginal({ target: '/open/x' }))).toEqual([
    'authorization, x-original-method, x-original-uri',
  ]);
  expect(await vary(site.askForwarded({ target: '/open/x' }))).toEqual([
    'authorization, x-forwarded-method, x-forwarded-uri',
  ]);
  expect(await vary(site.askBelow({ target: '/open/x' }))).toEqual(['authorization']);
});

it('a batch tells it for each answer', async () => {
  const body = JSON.stringify({ requests: [{ method: 'GET', path: '/open/x' }] });
  const answer = await site.send(
    requestOf('POST', '/-/decide/batch', { fields: `Content-Length: ${body.length}\r\n`, body }),
  );
  expect(JSON.parse(answer.text)).toMatchObject({ decisions: [{ allowed: true, max_age: 60 }] });
});

it('a reload changes who may ask, and where', async () => {
  const changed = await Site.start();
  const text = readFileSync(changed.gateway.configFile, 'utf8');
  changed.gateway.writeConfig(
    text.replace('peers: [127.0.0.1]', 'peers: [192.0.2.1]').replace('path: /strict', 'path: /moved'),
  );
  expect((await changed.gateway.reload()).outcome).toBe('applied');
  const denied = await changed.askOriginal({ target: '/open/x' });
  expect([denied.status, codeIn(denied)]).toEqual([403, 'decision_peer_unknown']);
  expect(codeIn(await changed.askForwarded({ target: '/open/x' }, '/strict'))).toBe('route_not_found');
  expect(codeIn(await changed.askForwarded({ target: '/open/x' }, '/moved'))).toBe('decision_peer_unknown');
  await changed.stop();
});
