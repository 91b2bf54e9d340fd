/** 2.A and 2.D: what the route table compiles to. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { run } from '../cli/memory-terminal.ts';
import type { Row } from './row.ts';
import { exampleText } from './stage.ts';
import { replaced } from './stages.ts';

interface Compiled {
  readonly path: string;
  readonly methods: readonly string[];
  readonly public: boolean;
  readonly subject: string | null;
  readonly tokens: readonly { readonly types: readonly string[] | null }[];
}

/** `sallyport routes` on a text, as data; or what it complains of. */
async function compile(
  text: string,
): Promise<{ readonly routes: readonly Compiled[]; readonly complaint: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-airflow-'));
  try {
    const file = join(folder, 'gw.yaml');
    writeFileSync(file, text);
    const { out, err } = await run(['routes', '-c', file, '--json']);
    const routes = out === '' ? [] : (JSON.parse(out) as { routes: readonly Compiled[] }).routes;
    return { routes, complaint: err };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

let whole: readonly Compiled[] | null = null;

/** Each operation of the example: method and path, then token types, then what its subject is bound to. */
export async function operations(): Promise<readonly string[]> {
  whole ??= (await compile(exampleText)).routes;
  return whole.flatMap(({ path, methods, public: open, subject, tokens }) =>
    methods.map((method) => {
      const types = open ? 'public' : tokens.flatMap((token) => token.types ?? []).join('|');
      return `${method} ${path.replace('/execution', '')} ${types}${subject === null ? '' : ` ${subject}`}`;
    }),
  );
}

const typesOf = async (outer: string, inner: string): Promise<readonly string[]> => {
  const { routes, complaint } = await compile(
    `${exampleText}  - prefix: /probe\n    closed: true\n    upstream: api\n${outer}    routes:\n      - { path: '/{id}'${inner} }\n`,
  );
  expect(complaint).toBe('');
  return routes.at(-1)!.tokens[0]!.types!;
};

const others =
  /^(?:PATCH \/task-instances\/\{task_instance_id\}\/run|\w+ \/connection-tests\/|PATCH \/callbacks\/)/;

export const policyRows: readonly Row[] = [
  {
    ids: ['1'],
    says: 'a route without token types allows execution',
    run: async () => {
      expect(await typesOf('', '')).toEqual(['execution']);
    },
  },
  {
    ids: ['2'],
    says: 'types are the union over all levels',
    run: async () => {
      expect(await typesOf('', ', token_types: [execution, workload]')).toEqual(['execution', 'workload']);
      expect(await typesOf('    token_types: [workload]\n', ', token_types: [execution]')).toEqual([
        'execution',
        'workload',
      ]);
      expect(await typesOf('    token_types: [workload]\n', '')).toEqual(['workload']);
    },
  },
  {
    ids: ['3'],
    says: 'a binding of the subject is no type',
    run: async () => {
      expect(await typesOf('', ', subject: { param: id }, token_types: [execution]')).toEqual(['execution']);
    },
  },
  {
    ids: ['4'],
    says: 'an unknown type does not start',
    run: async () => {
      const { complaint } = await compile(
        replaced(exampleText, 'token_types: [callback]', 'token_types: [bogus]'),
      );
      expect(complaint).toMatch(/token_types\[0\]: unknown token type "bogus"/);
    },
  },
  {
    ids: ['5'],
    says: 'a callback route allows callback alone',
    run: async () => {
      expect(await typesOf('', ', subject: { param: id }, token_types: [callback]')).toEqual(['callback']);
    },
  },
  {
    ids: ['31'],
    says: 'every other route allows execution alone',
    run: async () => {
      const rest = (await operations()).filter(
        (operation) => !others.test(operation) && !operation.includes(' public'),
      );
      expect(rest.length).toBeGreaterThan(40);
      for (const operation of rest) expect(operation.split(' ')[2]).toBe('execution');
    },
  },
  {
    ids: ['32'],
    says: 'run allows execution and workload',
    run: async () => {
      expect(await operations()).toContain(
        'PATCH /task-instances/{task_instance_id}/run execution|workload task_instance_id',
      );
    },
  },
  {
    ids: ['33', '34'],
    says: 'connection tests allow workload alone',
    run: async () => {
      const id = 'connection_test_id';
      expect(await operations()).toContain(`PATCH /connection-tests/{${id}} workload ${id}`);
      expect(await operations()).toContain(`GET /connection-tests/{${id}}/connection workload ${id}`);
    },
  },
  {
    ids: ['35'],
    says: 'callbacks allow callback alone',
    run: async () => {
      expect(await operations()).toContain('PATCH /callbacks/{callback_id}/run callback callback_id');
    },
  },
  {
    ids: ['36', '37'],
    says: 'what a subject is bound to is a parameter of the path, or nothing starts',
    run: async () => {
      for (const operation of await operations()) {
        const [, path = '', , subject] = operation.split(' ');
        if (subject !== undefined) expect(path).toContain(`{${subject}}`);
      }
      const { complaint } = await compile(replaced(exampleText, '{connection_test_id}\n', '{id}\n'));
      expect(complaint).toMatch(/"connection_test_id" is not a path parameter/);
    },
  },
];
