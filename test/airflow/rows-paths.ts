/** 1.8: the paths that a router can get wrong. Which route took a request is read from the metrics. */
import { expect } from 'vitest';
import { until } from '../support/until.ts';
import { answers, other, own, type Row, wrongSubject } from './row.ts';
import { mint, type Stage } from './stage.ts';

/** Asks with an execution token of `own`, and holds the route and the forwarded target to what is expected. */
async function taken(stage: Stage, line: string, route: string, status = 200): Promise<void> {
  const label = `route="${route.replace(' ', ' /execution')}"`;
  const count = (): Promise<number> => stage.gateway.metric('sallyport_http_requests_total', label);
  const before = await count();
  await answers(stage, line, { token: mint({ claims: { sub: own } }) }, { status });
  // The listener counts when it has sent the answer.
  await until(`${route} is counted`, async () => (await count()) === before + 1);
  const [method, path] = line.split(' ');
  expect(stage.last).toMatchObject({ method, url: `/execution${path}` });
}

const xcoms = '/xcoms/{dag_id}/{run_id}/{task_id}/{key*}';
const store = 'GET|PUT|DELETE /store/ti/{task_instance_id}/{key*}';

export const pathRows: readonly Row[] = [
  {
    ids: ['1.8'],
    says: 'a greedy key ends before a literal suffix, and holds it where more follows',
    run: async (stage) => {
      await taken(stage, 'GET /xcoms/d/r/t/key', `GET|HEAD|POST|DELETE ${xcoms}`);
      await taken(stage, 'GET /xcoms/d/r/t/a/b/c', `GET|HEAD|POST|DELETE ${xcoms}`);
      await taken(stage, 'GET /xcoms/d/r/t/a/b/slice', `GET ${xcoms}/slice`);
      await taken(stage, 'GET /xcoms/d/r/t/a/b/item/3', `GET ${xcoms}/item/{offset}`);
      await taken(stage, 'GET /xcoms/d/r/t/slice/more', `GET|HEAD|POST|DELETE ${xcoms}`);
      await taken(stage, 'GET /xcoms/d/r/t/slice', `GET|HEAD|POST|DELETE ${xcoms}`);
      await taken(stage, 'DELETE /xcoms/d/r/t/a/slice', `GET|HEAD|POST|DELETE ${xcoms}`);
      await taken(stage, 'HEAD /xcoms/d/r/t/key', `GET|HEAD|POST|DELETE ${xcoms}`);
    },
  },
  {
    ids: ['1.8'],
    says: 'a literal comes before a parameter',
    run: async (stage) => {
      await taken(stage, 'GET /task-instances/count', 'GET /task-instances/count');
      await taken(stage, 'GET /dag-runs/d/previous', 'GET /dag-runs/{dag_id}/previous');
      await taken(stage, 'GET /dag-runs/d/r', 'GET|POST /dag-runs/{dag_id}/{run_id}');
      const token = mint({ claims: { sub: own } });
      const line = 'PATCH /task-instances/count/run';
      await answers(stage, line, { token }, { status: 403, detail: wrongSubject });
    },
  },
  {
    ids: ['1.8'],
    says: 'keys with slashes, plain and encoded, are forwarded as they came and bound as they came',
    run: async (stage) => {
      await taken(stage, 'GET /variables/a/b', 'GET|PUT|DELETE /variables/{variable_key*}', 404);
      await taken(stage, `GET /store/ti/${own}/a%2Fb`, store);
      await taken(stage, `GET /store/ti/${own}/a/b%2fc?x=%2F`, store);
      const token = mint({ claims: { sub: own } });
      for (const path of [`${other}/${own}`, `${other}%2F${own}`, `${own}%2Fx/k`])
        await answers(stage, `GET /store/ti/${path}`, { token }, { status: path.includes('/') ? 403 : 405 });
      await answers(stage, 'GET /variables/a%2F..%2Fb', { token }, { status: 400 });
    },
  },
  {
    ids: ['1.8'],
    says: 'an empty key is not found, and neither is a path with a slash too many',
    differs: 'Airflow redirects a trailing slash with 307.',
    run: async (stage) => {
      const token = mint({ claims: { sub: own } });
      for (const path of ['/variables/', '/variables', '/health/', '/task-instances/count/'])
        await answers(stage, `GET ${path}`, { token }, { status: 404, detail: 'Not Found' });
    },
  },
];
