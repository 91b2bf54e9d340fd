/** 2.B and 2.C: which token opens which route. */
import { expect } from 'vitest';
import { randomUUID } from 'node:crypto';
import { answers, asks, invalid, other, own, type Row, wrongSubject, wrongType } from './row.ts';
import { type Ask, claimsIn, mint } from './stage.ts';

const execution = (sub = own): Ask => ({ token: mint({ claims: { sub, scope: 'execution' } }) });
const workload = (sub = own): Ask => ({ token: mint({ claims: { sub, scope: 'workload' } }) });
const start = (pid = 1): Pick<Ask, 'body'> => ({
  body: JSON.stringify({ hostname: 'h', unixname: 'u', pid }),
});
const run = (id = own): string => `PATCH /task-instances/${id}/run`;
const state = `PATCH /task-instances/${own}/state`;

const refusedCredential = (ids: string, credential: string): Row => ({
  ids: [ids],
  says: `${credential} is refused with the same words as any other, and found in no log`,
  differs:
    'no warning is logged for each: a flood would be one of the log. The reason is counted in a metric.',
  run: async (stage) => {
    const failed = (): Promise<number> =>
      stage.gateway.metric('sallyport_authz_decisions_total', 'decision="denied"', 'reason="token_');
    const before = await failed();
    await answers(stage, 'GET /variables/a', { token: credential }, { status: 403, detail: invalid });
    expect(await failed()).toBe(before + 1);
    expect(JSON.stringify(stage.gateway.logs)).not.toContain(credential);
  },
});

export const enforcementRows: readonly Row[] = [
  asks('6', 'a default route refuses workload', `PATCH /task-instances/${own}/state`, workload, {
    status: 403,
    detail: wrongType('workload'),
  }),
  asks(
    '7 25',
    'run takes workload',
    run('00000000-0000-0000-0000-000000000007'),
    () => ({ ...workload('00000000-0000-0000-0000-000000000007'), ...start() }),
    {
      status: 200,
      renewed: true,
    },
  ),
  asks('8 23', 'state takes execution', state, execution, { status: 204 }),
  asks(
    '9 27',
    'run takes execution, and brings no new token',
    run(),
    () => ({ ...execution(), ...start() }),
    {
      status: 200,
    },
  ),
  asks('10', 'a bound route takes its subject', `GET /hitlDetails/${own}`, execution, { status: 200 }),
  asks('11', 'and no other', `GET /hitlDetails/${own}`, () => execution(other), {
    status: 403,
    detail: wrongSubject,
  }),
  refusedCredential('12', 'eyJ.invalid.jwt'),
  refusedCredential('13', 'opaque-token-value'),
  {
    ids: ['14', '26'],
    says: 'a token without a scope is one of execution, and other claims do no harm',
    run: async (stage) => {
      const token = mint({ claims: { sub: own, team: 'data' } });
      await answers(stage, state, { token }, { status: 204 });
      const old = mint({ age: 590, claims: { sub: own, team: 'data' } });
      const { renewed } = await answers(stage, state, { token: old }, { status: 204, renewed: true });
      expect(claimsIn(renewed!)).toMatchObject({ sub: own, team: 'data' });
    },
  },
  asks(
    '15',
    'a sub that is no UUID',
    'GET /variables/a',
    () => execution('not-a-uuid'),
    { status: 403, detail: invalid },
    {
      differs:
        'Airflow’s claims take it and its identity then fails; here the token is refused, as its V2 answers.',
    },
  ),
  {
    ids: ['16'],
    says: 'without teams nothing is asked of anybody: a request is one call to the upstream',
    run: async (stage) => {
      const before = stage.upstream.seen.length;
      await answers(stage, 'GET /connections/c', execution(), { status: 200 });
      expect(stage.upstream.seen.length).toBe(before + 1);
    },
  },
  asks('18', 'run of another one', run(other), execution, { status: 403, detail: wrongSubject }),
  {
    ids: ['19'],
    says: 'run of one’s own, queued, and the token is verified',
    run: async (stage) => {
      const id = randomUUID();
      const verified = (): Promise<number> =>
        stage.gateway.metric('sallyport_jwt_verifications_total', 'cache="miss"', 'result="accepted"');
      const before = await verified();
      await answers(stage, run(id), { ...execution(id), ...start() }, { status: 200 });
      expect(await verified()).toBe(before + 1);
    },
  },
  asks('20', 'heartbeat refuses workload', `PUT /task-instances/${own}/heartbeat`, workload, {
    status: 403,
    detail: wrongType('workload'),
  }),
  asks('21', 'state refuses workload', state, workload, { status: 403, detail: wrongType('workload') }),
  asks('22', 'connections refuse workload', 'GET /connections/test_conn', workload, {
    status: 403,
    detail: wrongType('workload'),
  }),
  asks(
    '24',
    'an unknown scope',
    run(),
    () => ({ token: mint({ claims: { sub: own, scope: 'bogus:scope' } }) }),
    {
      status: 403,
      detail: invalid,
    },
  ),
  {
    ids: ['24'],
    says: 'an unknown scope, with reasons',
    stage: 'reasons',
    differs: 'V1 repeats the claim in the answer; here no claim of a token is ever repeated.',
    run: async (stage) => {
      const token = mint({ claims: { sub: own, scope: 'bogus:scope' } });
      await answers(stage, run(), { token }, { status: 403, detail: `${invalid}: Invalid token scope` });
    },
  },
  {
    ids: ['28'],
    says: 'run with workload brings a token of execution with the same subject, which works',
    run: async (stage) => {
      const id = randomUUID();
      const minted = (): Promise<number> =>
        stage.gateway.metric('sallyport_tokens_minted_total', 'purpose="exchange"');
      const before = await minted();
      const asked = { ...workload(id), ...start() };
      const { renewed } = await answers(stage, run(id), asked, { status: 200, renewed: true });
      expect(claimsIn(renewed!)).toMatchObject({ sub: id, scope: 'execution' });
      expect(await minted()).toBe(before + 1);
      await answers(stage, `PATCH /task-instances/${id}/state`, { token: renewed! }, { status: 204 });
    },
  },
  {
    ids: ['29', '30'],
    says: 'the same start again is the same answer; another process is a conflict',
    run: async (stage) => {
      const id = randomUUID();
      const first = await answers(stage, run(id), { ...execution(id), ...start() }, { status: 200 });
      const again = await answers(stage, run(id), { ...execution(id), ...start() }, { status: 200 });
      expect(again.text).toBe(first.text);
      await answers(stage, run(id), { ...execution(id), ...start(2) }, { status: 409 });
    },
  },
];
