/** 2.G: correlation ids, trace context, what passes untouched. */
import { expect } from 'vitest';
import { until } from '../support/until.ts';
import { answers, type Row } from './row.ts';
import { type Ask, mint, type Stage } from './stage.ts';

const correlated = (id: string): Ask => ({ headers: { 'correlation-id': id } });

async function echoes(stage: Stage, line: string, id: string, status: number): Promise<void> {
  const { headers } = await answers(stage, line, correlated(id), { status });
  expect(headers.get('correlation-id')).toBe(id);
}

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
const traced = { traceparent: `00-${traceId}-00f067aa0ba902b7-01`, tracestate: 'vendor=1' };

const situations = [
  { name: 'a public route', line: 'GET /health', status: 200, ask: (): Ask => ({}) },
  { name: 'an authentication that fails', line: 'GET /connections/c', status: 401, ask: (): Ask => ({}) },
  {
    name: 'an authenticated request',
    line: 'GET /connections/c',
    status: 200,
    ask: (): Ask => ({ token: mint() }),
  },
] as const;

const modes = [
  { mode: 'always', stage: 'trace-always', taken: [true, true, true] },
  { mode: 'authenticated', stage: 'trace-authenticated', taken: [false, false, true] },
  { mode: 'never', stage: 'trace-never', taken: [false, false, false] },
] as const;

/** Taken is: the trace id is in the access log, and the fields reach the upstream if the request does. */
async function traces(
  on: Stage,
  { line, status, ask }: (typeof situations)[number],
  taken: boolean,
): Promise<void> {
  const before = on.upstream.seen.length;
  const { headers } = await answers(on, line, { ...ask(), headers: traced }, { status });
  const id = headers.get('x-request-id');
  const entry = await until(`the line of ${id}`, () =>
    on.gateway.logs.find((said) => said['request_id'] === id),
  );
  expect(entry['trace_id']).toBe(taken ? traceId : null);
  const reached = on.upstream.seen[before]?.headers;
  expect(reached !== undefined).toBe(status === 200);
  if (reached === undefined) return;
  const expected = taken ? [traced.traceparent, traced.tracestate] : [undefined, undefined];
  expect([reached['traceparent'], reached['tracestate']]).toEqual(expected);
}

const traceRows = modes.flatMap(({ mode, stage, taken }, i) =>
  situations.map((situation, j): Row => ({
    ids: [String(61 + 3 * i + j)],
    says: `trace context, ${mode}: ${situation.name}`,
    stage,
    run: (on) => traces(on, situation, taken[j]!),
  })),
);

export const aroundRows: readonly Row[] = [
  {
    ids: ['57'],
    says: 'a correlation id goes back with an answer, and none where none came',
    run: async (stage) => {
      await echoes(stage, 'GET /health', 'c-57', 200);
      const { headers } = await answers(stage, 'GET /health', {}, { status: 200 });
      expect(headers.has('correlation-id')).toBe(false);
    },
  },
  {
    ids: ['58'],
    says: 'and with a 404 of an unknown path',
    run: (stage) => echoes(stage, 'GET /nothing/here', 'c-58', 404),
  },
  {
    ids: ['59', '60'],
    says: 'each request gets its own, also where the upstream sends one too',
    run: async (stage) => {
      await echoes(stage, 'GET /health', 'one', 200);
      await echoes(stage, 'GET /nothing', 'two', 404);
      await echoes(stage, 'GET /health', 'three', 200);
      expect(stage.last?.headers['correlation-id']).toBe('three');
      stage.upstream.headers = { 'correlation-id': 'of the upstream' };
      await echoes(stage, 'GET /health', 'four', 200);
      stage.upstream.headers = {};
    },
  },
  ...traceRows,
  {
    ids: ['70'],
    says: 'the document of an old version is the upstream’s',
    run: async (stage) => {
      await answers(stage, 'GET /openapi.json?version=2025-04-28', {}, { status: 200 });
      expect(stage.last?.url).toBe('/execution/openapi.json?version=2025-04-28');
    },
  },
];
