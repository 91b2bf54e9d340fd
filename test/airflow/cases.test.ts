/** The Execution API's cases, each a row: main-line 1-70, derived X1-X20, and what of the branches can be reached. */
import { afterAll, describe, expect, it } from 'vitest';
import type { Row } from './row.ts';
import { aroundRows } from './rows-around.ts';
import { branchRows, derivedRows } from './rows-derived.ts';
import { enforcementRows } from './rows-enforcement.ts';
import { pathRows } from './rows-paths.ts';
import { operations, policyRows } from './rows-policy.ts';
import { reissueRows } from './rows-reissue.ts';
import { tokenRows } from './rows-tokens.ts';
import { Stages } from './stages.ts';

const groups: Readonly<Record<string, readonly Row[]>> = {
  '2.A, 2.D: the compiled policy': policyRows,
  '1.8: paths': pathRows,
  '2.B, 2.C: enforcement': enforcementRows,
  '2.E: reissue': reissueRows,
  '2.F: tokens and keys': tokenRows,
  '2.G: around authentication': aroundRows,
  '2.H: callbacks': branchRows,
  '2.I: derived': derivedRows,
};

/** Cases of branches that nothing here reaches, and why. */
const unreached: Readonly<Record<string, string>> = {
  17: 'teams by bundle: a dag_processor token names bundles, which only Airflow can map to teams',
  71: 'teams: examples/airflow has none (multi_team is off); an access hook would be asked',
  72: 'as 71',
  73: 'xcoms of other dags: main lets every task read them',
  74: 'bundles of the dag processor: V3, unverified',
  75: 'as 74',
  76: 'as 74',
  77: 'as 74',
  78: 'as 74',
  79: 'as 74',
  80: 'as 74',
  81: 'as 74',
  82: 'as 74',
  84: 'the state of a callback is the upstream’s: its 409 passes as it is (30, X20)',
  86: 'PATCH /callbacks/{id}/state is not in the route table: 404 whatever the token',
};

const stages = new Stages();
afterAll(() => stages.stop());

describe.each(Object.entries(groups))('%s', (_, rows) => {
  it.each(rows.map((row) => [row.ids.join(', '), row.says, row] as const))(
    '%s: %s',
    async (_ids, _says, row) => {
      await row.run(await stages.get(row.stage ?? 'example'));
    },
  );
});

describe('the suite', () => {
  const rows = Object.values(groups).flat();
  const shown = new Set(rows.flatMap(({ ids }) => ids));
  const numbers = (from: number, to: number): string[] =>
    Array.from({ length: to - from + 1 }, (_, index) => String(from + index));

  it('has every main-line and every derived case', () => {
    const wanted = [...numbers(1, 70), ...numbers(1, 20).map((number) => `X${number}`)];
    expect(wanted.filter((id) => !shown.has(id) && !(id in unreached))).toEqual([]);
  });

  it('shows each case of the branches, or says why not', () => {
    expect(numbers(71, 86).filter((id) => shown.has(id) === id in unreached)).toEqual([]);
  });
});

it('the route table of the example is this', async () => {
  expect((await operations()).join('\n')).toMatchSnapshot();
});
