/** The access hook of a WebSocket's route: asked when it opens, and again when its token is renewed in band. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { mint } from '../hardening/arena.ts';
import { testPreamble } from '../support/gateway.ts';
import { until } from '../support/until.ts';
import { roundTrip, type Stage, startStage } from '../websocket/stage.ts';

interface Question {
  readonly route: string;
  readonly method: string;
  readonly subject: string;
  readonly claims: { readonly team: string };
}

const questions: Question[] = [];
/** A status by team. */
const statuses: Readonly<Record<string, number>> = { in: 204, 'also in': 204, out: 403, broken: 500 };
const hook = createServer((request, response) => {
  void text(request).then((body) => {
    const question = JSON.parse(body) as Question;
    questions.push(question);
    response.writeHead(statuses[question.claims.team]!).end();
  });
});

let stage: Stage;
beforeAll(async () => {
  await once(hook.listen(0, '127.0.0.1'), 'listening');
  const { port } = hook.address() as AddressInfo;
  const hooks = `access_hooks: { team: { url: "http://127.0.0.1:${port}", claims: { team: team } } }\n`;
  stage = await startStage(
    '  - { id: live, path: /live, upstream: live, access_hook: team, websocket: { renew_by: renew } }',
    testPreamble + hooks,
  );
});
afterAll(async () => {
  await stage.stop();
  hook.close();
});

/** A WebSocket whose token names the team `in`, after it was told of one that names another, or closed for it. */
async function afterRenewal(team: string): Promise<Awaited<ReturnType<Stage['open']>>> {
  const opened = await stage.open('/live', { token: mint({ team: 'in' }) });
  const { client } = opened;
  client.socket.send(JSON.stringify({ renew: mint({ team, exp: 9_000_000_000 }) }));
  await until('it is told, or closed', () => client.texts.length > 0 || client.ending !== null);
  return opened;
}

it('is asked again: its yes lets the new token in', async () => {
  questions.length = 0;
  const { client } = await afterRenewal('also in');
  expect(client.texts).toEqual(['{"renew":{"expires_at":9000000000}}']);
  const asked = questions.map(({ route, method, claims }) => [route, method, claims.team]);
  expect(asked).toEqual(expect.arrayContaining([['live', 'GET', 'also in']]));
});

it('is asked again: its no closes the WebSocket', async () => {
  const { client, end } = await afterRenewal('out');
  expect(client.texts).toEqual([]);
  expect(await client.ended()).toBe('4401 access_denied');
  expect(await end.ended()).toBe('4401 access_denied');
});

it('is asked again: without its answer the new token does not count, and the old one still does', async () => {
  const opened = await afterRenewal('broken');
  expect(opened.client.texts).toEqual(['{"renew":{"error":"access_unknown"}}']);
  await roundTrip(opened);
});
