/** 2.I: what Airflow's own tests leave out and its code decides. */
import { expect } from 'vitest';
import { randomUUID } from 'node:crypto';
import { answers, asks, type Expected, invalid, own, type Row, wrongSubject, wrongType } from './row.ts';
import { type Ask, mint, secretSigner, type Stage } from './stage.ts';
import { ed } from './stages.ts';

const line = 'GET /connections/c';
const missing: Expected = { status: 401, detail: 'Missing auth token' };
const refused: Expected = { status: 403, detail: invalid };
const accepted: Expected = { status: 200 };
const now = (): number => Math.floor(Date.now() / 1000);

/** The same request with several tokens, each with its answer. */
const each = (
  ids: string,
  says: string,
  asked: readonly (readonly [string, () => Ask, Expected])[],
  more: Pick<Row, 'differs' | 'stage'> = {},
): Row => ({
  ids: [ids],
  says,
  ...more,
  run: async (stage) => {
    for (const [name, ask, expected] of asked) {
      const { status } = await answers(stage, line, ask(), expected);
      expect(`${name}: ${status}`).toBe(`${name}: ${expected.status}`);
    }
  },
});

const claims = (given: () => Record<string, unknown>) => (): Ask => ({ token: mint({ claims: given() }) });
const header = (authorization: string) => (): Ask => ({ authorization });

const nearExpiry = (claimsOf: Record<string, unknown> = {}): string => mint({ age: 590, claims: claimsOf });

export const derivedRows: readonly Row[] = [
  each('X1', 'without a usable bearer credential', [
    ['nothing', () => ({}), missing],
    ['Basic', header('Basic dXNlcjpwYXNz'), missing],
    ['Token', header('Token x'), missing],
    ['Bearer alone', header('Bearer'), missing],
    ['a bare word', header('x'), missing],
    ['two words', header('Bearer x y'), refused],
    ['two tokens', header('Bearer x, Bearer y'), refused],
  ]),
  {
    ids: ['X1'],
    says: 'a refusal is application/json to the letter, and has no challenge',
    differs: 'RFC 9110 asks for WWW-Authenticate with a 401; Airflow sends none. `challenge: true` would.',
    run: async (stage) => {
      for (const ask of [{}, { token: 'x.y.z' }]) {
        const { headers } = await stage.ask(line, ask);
        expect(headers.get('content-type')).toBe('application/json');
        expect(headers.has('www-authenticate')).toBe(false);
      }
    },
  },
  each('X2', 'the scheme has no case, and spaces are trimmed', [
    ['bearer', () => ({ authorization: `bearer ${mint()}` }), accepted],
    ['BEARER', () => ({ authorization: `BEARER ${mint()}` }), accepted],
    ['spaces', () => ({ authorization: `Bearer   ${mint()}` }), accepted],
  ]),
  each('X3', 'exp 9 s and 10 s ago', [
    ['9', claims(() => ({ exp: Date.now() / 1000 - 9 })), { status: 200, renewed: true }],
    ['10', claims(() => ({ exp: now() - 10 })), refused],
  ]),
  each('X4', 'nbf and iat 10 s and 11 s ahead', [
    ['nbf 10', claims(() => ({ nbf: now() + 10 })), accepted],
    ['nbf 12', claims(() => ({ nbf: now() + 12 })), refused],
    ['iat 10', claims(() => ({ iat: now() + 10 })), accepted],
    ['iat 12', claims(() => ({ iat: now() + 12 })), refused],
  ]),
  each('X5', 'no nbf', [['none', claims(() => ({ nbf: undefined })), accepted]]),
  each('X6', 'no sub', [['none', claims(() => ({ sub: undefined })), refused]], {
    differs: 'V1 fails with 500; here it is 403, as in V2.',
  }),
  each('X7', 'audiences', [
    ['another', claims(() => ({ aud: 'other' })), refused],
    ['none', claims(() => ({ aud: undefined })), refused],
    ['among others', claims(() => ({ aud: ['other', 'urn:airflow.apache.org:task'] })), accepted],
    ['a number', claims(() => ({ aud: 7 })), refused],
  ]),
  each(
    'X8',
    'issuers, where one is configured',
    [
      ['missing', claims(() => ({})), refused],
      ['another', claims(() => ({ iss: 'other' })), refused],
      ['ours', claims(() => ({ iss: 'airflow' })), accepted],
    ],
    { stage: 'strict' },
  ),
  each('X8', 'issuers, where none is configured', [['any', claims(() => ({ iss: 'other' })), accepted]]),
  each('X9', 'algorithms and signatures', [
    ['none', () => ({ token: mint({ header: { alg: 'none' } }) }), refused],
    ['HS256', () => ({ token: mint({ signer: secretSigner('HS256') }) }), refused],
    ['another secret', () => ({ token: mint({ signer: secretSigner('HS512', 'x'.repeat(64)) }) }), refused],
    ['crit', () => ({ token: mint({ header: { crit: ['x'], x: 1 } }) }), refused],
  ]),
  {
    ids: ['X11'],
    says: 'a key source that is down at a cold start',
    stage: 'cold',
    differs:
      'Airflow answers 403, which its client takes for good and the task dies; 503 is retried. It is our failure.',
    run: async (stage) => {
      const { headers } = await answers(
        stage,
        line,
        { token: mint({ signer: ed }) },
        {
          status: 503,
          detail: 'The keys to verify this token are not available.',
        },
      );
      expect(headers.get('retry-after')).toMatch(/^\d+$/);
    },
  },
  asks(
    'X12',
    'a wrong type beats a wrong subject',
    `PATCH /task-instances/${own}/state`,
    () => ({ token: mint({ claims: { scope: 'workload' } }) }),
    {
      status: 403,
      detail: wrongType('workload'),
    },
  ),
  {
    ids: ['X13'],
    says: 'the subject is canonical, the path is raw',
    run: async (stage) => {
      const canonical = '0198c0de-0000-7000-8000-00000000abcd';
      const ask = (path: string, sub: string, expected: Expected): Promise<unknown> =>
        answers(stage, `PATCH /task-instances/${path}/state`, { token: mint({ claims: { sub } }) }, expected);
      for (const sub of [canonical, canonical.toUpperCase(), canonical.replaceAll('-', '')]) {
        await ask(canonical, sub, { status: 204 });
        await ask(canonical.toUpperCase(), sub, { status: 403, detail: wrongSubject });
        await ask(canonical.replaceAll('-', ''), sub, { status: 403, detail: wrongSubject });
        await ask('no-uuid', sub, { status: 403, detail: wrongSubject });
      }
    },
  },
  {
    ids: ['X14'],
    says: 'a body that is no JSON is 422 before the token; a body that is missing is not',
    differs:
      'the detail does not say where in the body the error is. Bodies of /xcoms are streamed and not looked at.',
    run: async (stage) => {
      const state = `PATCH /task-instances/${own}/state`;
      const { text } = await answers(stage, state, { body: '{"pid":' }, { status: 422 });
      expect(JSON.parse(text)).toMatchObject({ detail: [{ type: 'json_invalid', loc: ['body'] }] });
      await answers(stage, state, {}, missing);
      await answers(stage, state, { body: '{}' }, missing);
      await answers(stage, state, { body: 'x', headers: { 'content-type': 'text/plain' } }, missing);
      const token = mint({ claims: { sub: own } });
      await answers(stage, state, { token, body: '{"pid":' }, { status: 422 });
      await answers(stage, state, { token, body: '{"pid":1}' }, { status: 204 });
    },
  },
  {
    ids: ['X15'],
    says: 'unknown paths and methods, without a token',
    run: async (stage) => {
      await answers(stage, 'GET /nothing', {}, { status: 404, detail: 'Not Found' });
      const { headers } = await answers(
        stage,
        'DELETE /health',
        {},
        { status: 405, detail: 'Method Not Allowed' },
      );
      expect(headers.get('allow')).toBe('GET, HEAD');
    },
  },
  asks(
    'X16',
    'a token that expired 5 s ago is served and renewed',
    line,
    () => ({ token: mint({ age: 605 }) }),
    {
      status: 200,
      renewed: true,
    },
  ),
  {
    ids: ['X17'],
    says: 'a forbidden or unknown route renews too',
    run: async (stage) => {
      await answers(
        stage,
        `GET /hitlDetails/${own}`,
        { token: nearExpiry() },
        { status: 403, renewed: true },
      );
      await answers(stage, 'GET /nothing', { token: nearExpiry() }, { status: 404, renewed: true });
      await answers(stage, 'DELETE /health', { token: nearExpiry() }, { status: 405, renewed: true });
    },
  },
  {
    ids: ['X18'],
    says: 'a workload or callback token is never renewed',
    run: async (stage) => {
      const id = randomUUID();
      for (const scope of ['workload', 'callback']) {
        const token = nearExpiry({ sub: id, scope });
        await answers(stage, 'GET /health', { token }, { status: 200 });
        await answers(stage, `PATCH /connection-tests/${own}`, { token }, { status: 403 });
      }
    },
  },
  {
    ids: ['X17', 'X19'],
    says: 'a public route renews, and a bad token there does no harm',
    run: async (stage) => {
      await answers(stage, 'GET /health', { token: nearExpiry() }, { status: 200, renewed: true });
      for (const token of ['rubbish', mint({ age: 700 }), nearExpiry({ aud: 'other' })]) {
        await answers(stage, 'GET /health', { token }, { status: 200 });
        await answers(stage, 'GET /nothing', { token }, { status: 404 });
      }
    },
  },
  {
    ids: ['X17', 'X19'],
    says: 'the same where signatures are verified by a worker',
    stage: 'jwks',
    run: async (stage) => {
      const token = (age = 590): string => mint({ age, signer: ed });
      await answers(stage, 'GET /health', { token: token() }, { status: 200, renewed: true });
      await answers(stage, 'GET /nothing', { token: token() }, { status: 404, renewed: true });
      await answers(stage, 'GET /nothing', { token: token(0) }, { status: 404 });
      const forged = `${token().slice(0, -4)}AAAA`;
      await answers(stage, 'GET /health', { token: forged }, { status: 200 });
    },
  },
  {
    ids: ['X20'],
    says: 'a workload token replayed from another host is the upstream’s conflict, and is not exchanged',
    run: async (stage) => {
      const id = randomUUID();
      const token = mint({ claims: { sub: id, scope: 'workload' } });
      const start = (hostname: string): Ask => ({ token, body: JSON.stringify({ hostname }) });
      const run = `PATCH /task-instances/${id}/run`;
      await answers(stage, run, start('a'), { status: 200, renewed: true });
      await answers(stage, run, start('a'), { status: 200, renewed: true });
      await answers(stage, run, start('b'), { status: 409 });
    },
  },
];

/** Callbacks: the branch-only cases that exchange and binding reach. */
export const branchRows: readonly Row[] = [
  {
    ids: ['83'],
    says: 'a queued callback runs and brings a token of execution; the same call again is the same',
    run: async (stage) => {
      const id = randomUUID();
      const ask = { token: mint({ claims: { sub: id, scope: 'callback' } }), body: '{}' };
      await answers(stage, `PATCH /callbacks/${id}/run`, ask, { status: 200, renewed: true });
      await answers(stage, `PATCH /callbacks/${id}/run`, ask, { status: 200, renewed: true });
    },
  },
  {
    ids: ['85'],
    says: 'the callback of another subject',
    run: async (stage: Stage) => {
      const token = mint({ claims: { scope: 'callback' } });
      await answers(
        stage,
        `PATCH /callbacks/${own}/run`,
        { token },
        {
          status: 403,
          detail: 'Token subject does not match callback ID',
        },
      );
    },
  },
];
