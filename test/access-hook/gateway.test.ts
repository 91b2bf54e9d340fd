import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { startGateway, testPreamble } from '../support/gateway.ts';
import { until } from '../support/until.ts';

interface Question {
  readonly route: string;
  readonly method: string;
  readonly params: Readonly<Record<string, string>>;
  readonly issuer: string;
  readonly subject: string;
  readonly claims: { readonly team: string | null };
}

/**
 * Teams of variables as the hook's service has them. Reference 1.9: a task without a team may do everything, a resource
 * without a team is open, and two teams must be one (F8).
 */
const teams: Readonly<Record<string, string>> = { var_a: 'team_a', var_b: 'team_b' };
const questions: Question[] = [];
let answerWith: ((question: Question, response: ServerResponse) => void) | null = null;

async function onQuestion(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const question = JSON.parse(await text(request)) as Question;
  questions.push(question);
  if (answerWith !== null) return answerWith(question, response);
  const owner = teams[question.params['key']!];
  const { team } = question.claims;
  response.writeHead(owner === undefined || team === null || owner === team ? 204 : 403).end();
}

const hook = createServer((request, response) => void onQuestion(request, response));
const served: string[] = [];
const upstream = createServer((request, response) => {
  served.push(request.url!);
  response.end('served');
});
const portOf = async (server: typeof hook): Promise<number> => {
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return (server.address() as AddressInfo).port;
};
const [hookPort, upstreamPort] = [await portOf(hook), await portOf(upstream)];

const secret = '0123456789abcdef0123456789abcdef';
const gateway = await startGateway(
  `${testPreamble}issuers:
  main: { issuer: main, algorithms: [HS256], keys: { secret_env: GW_SECRET } }
upstreams: { app: { urls: ["http://127.0.0.1:${upstreamPort}"] } }
access_hooks:
  team: { url: "http://127.0.0.1:${hookPort}/check?v=1", timeout_ms: 300, claims: { team: team }, allowed_seconds: 60, denied_seconds: 60 }
decision: { peers: [127.0.0.1], mounts: [{ mode: nginx }] }
listener: { host: 127.0.0.1, port: 0, threads: 1, trusted_proxies: [127.0.0.1] }
routes:
  - { path: "/variables/{key*}", issuer: main, upstream: app, access_hook: team }
  - { path: "/here/{key}", issuer: main, respond: { status: 200, body: here }, access_hook: team }
  - { path: "/teams/{name}", issuer: main, upstream: app, claims: [{ claim: team, param: name }] }
  - { path: /staff, issuer: main, upstream: app, claims: [{ claim: [org, groups], values: [staff, root], absent: pass }] }
`.replace(/^listener: .*\n/m, ''),
  { env: { GW_SECRET: secret } },
);
afterAll(async () => {
  await gateway.stop();
  hook.closeAllConnections();
  hook.close();
  upstream.closeAllConnections();
  upstream.close();
});
beforeEach(() => {
  questions.length = 0;
  served.length = 0;
  answerWith = null;
});

const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
function token(claims: object): string {
  const signed = `${part({ alg: 'HS256' })}.${part({ iss: 'main', sub: 'task-1', exp: Math.floor(Date.now() / 1000) + 600, ...claims })}`;
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
}

async function ask(path: string, claims: object = {}, method = 'GET'): Promise<string> {
  const answer = await fetch(`${gateway.url}${path}`, { method, headers: { authorization: `Bearer ${token(claims)}` } });
  const body = await answer.text();
  return answer.ok ? `${answer.status} ${body}` : `${answer.status} ${(JSON.parse(body) as { code: string }).code}`;
} // prettier-ignore

test('reference 71, 72 and 1.9: teams are compared by the hook, and a no is 403 before the upstream', async () => {
  expect(await ask('/variables/var_a', { team: 'team_a' })).toBe('200 served');
  expect(await ask('/variables/var_b', { team: 'team_a' })).toBe('403 access_denied');
  expect(await ask('/variables/var_b')).toBe('200 served');
  expect(await ask('/variables/free/of/teams', { team: 'team_a' })).toBe('200 served');
  expect(served).toEqual(['/variables/var_a', '/variables/var_b', '/variables/free/of/teams']);
});

test('the hook is told the route, the parameters, the subject and its claims, and no token', async () => {
  await ask('/variables/a/b%20c', { team: 'x', secret: 'not this' }, 'DELETE');
  expect(questions).toEqual([
    { route: '/variables/{key*}', method: 'DELETE', params: { key: 'a/b%20c' }, issuer: 'main', subject: 'task-1', claims: { team: 'x' } },
  ]);
}); // prettier-ignore

test('the same question is asked once, at the same time and later, whichever token asks it', async () => {
  let release = (): void => {};
  answerWith = (_, response) => {
    release = () => void response.writeHead(200).end();
  };
  const asked = Array.from({ length: 20 }, (_, jti) => ask('/variables/once', { jti: String(jti) }));
  await until('the question', () => questions.length > 0);
  release();
  expect(new Set(await Promise.all(asked))).toEqual(new Set(['200 served']));
  expect(await ask('/variables/once')).toBe('200 served');
  expect(questions).toHaveLength(1);
  answerWith = null;
  expect(await ask('/variables/once', { sub: 'task-2' })).toBe('200 served');
  expect(questions).toHaveLength(2);
});

test('a route that answers by itself asks as well', async () => {
  expect(await ask('/here/var_a', { team: 'team_a' })).toBe('200 here');
  expect(await ask('/here/var_b', { team: 'team_a' })).toBe('403 access_denied');
});

test('what refuses before the hook keeps it out: it is asked about permitted requests only', async () => {
  const answer = await fetch(`${gateway.url}/variables/var_a`);
  expect([answer.status, await ask('/variables/var_a', { exp: 1 })]).toEqual([401, '401 token_expired']);
  expect(questions).toEqual([]);
});

test.each([
  ['another status', (response: ServerResponse) => void response.writeHead(500).end()],
  ['a redirect', (response: ServerResponse) => void response.writeHead(302, { location: '/yes' }).end()],
  ['a connection that ends', (response: ServerResponse) => void response.destroy()],
  ['no answer in time', () => {}],
])('a hook that fails closes the route: %s', async (name, answer) => {
  answerWith = (_, response) => answer(response);
  const path = `/variables/${encodeURIComponent(name)}`;
  expect(await ask(path)).toBe('503 access_unknown');
  expect([served, questions.length]).toEqual([[], 1]);
  // A failure is not kept.
  answerWith = null;
  expect(await ask(path)).toBe('200 served');
});

test('proxies that ask for a decision get the answer of the hook, asked for and kept', async () => {
  const decide = async (path: string): Promise<number> => {
    const headers = { authorization: `Bearer ${token({ team: 'team_a' })}`, 'x-original-method': 'GET', 'x-original-uri': path };
    return (await fetch(`${gateway.url}/-/decide/nginx`, { headers })).status;
  }; // prettier-ignore
  for (let i = 0; i < 2; i++)
    expect([await decide('/here/var_a'), await decide('/here/var_b')]).toEqual([200, 403]);
  answerWith = (_, response) => void response.writeHead(500).end();
  expect(await decide('/here/unknown')).toBe(503);
  expect(questions).toHaveLength(1);
});

test('claims are compared with a parameter or with constants; of a list, one element will do', async () => {
  expect(await ask('/teams/a', { team: 'a' })).toBe('200 served');
  expect(await ask('/teams/a', { team: ['b', 'a'] })).toBe('200 served');
  for (const team of ['b', ['b'], 5, { a: 'a' }, undefined, 'a'.repeat(9000)])
    expect([team, await ask('/teams/a', { team })]).toEqual([team, expect.stringMatching(/^403 claim_mismatch|^401 token_too_large/)]);
  expect(await ask('/staff', { org: { groups: ['staff'] } })).toBe('200 served');
  expect(await ask('/staff', { org: { groups: 'guests' } })).toBe('403 claim_mismatch');
  expect(await ask('/staff', {})).toBe('200 served');
}); // prettier-ignore

test('answers are counted by where they came from, and every count stands at 0 from the start', async () => {
  const exposition = await (await fetch(`${gateway.adminUrl}/metrics`)).text();
  const lines = exposition.split('\n').filter((line) => line.startsWith('sallyport_access_hook_answers_total{'));
  expect(lines).toHaveLength(12);
  const count = (answer: string, origin: string): number =>
    Number(lines.find((line) => line.includes(`answer="${answer}"`) && line.includes(`origin="${origin}"`))!.split(' ')[1]);
  expect(count('allowed', 'joined') + count('allowed', 'cache')).toBeGreaterThanOrEqual(20);
  expect([count('failed', 'call'), count('failed', 'full')]).toEqual([5, 0]);
  expect(gateway.logs.filter(({ msg }) => msg === 'an access hook gave no answer')).not.toEqual([]);
  expect(JSON.stringify(gateway.logs)).not.toMatch(new RegExp(`task-1|team_a|${hookPort}`));
}); // prettier-ignore
