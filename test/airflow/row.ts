/** A row of the suite: one case of the reference, what it says, and how it is seen. */
import { expect } from 'vitest';
import type { Answer, Ask, Stage } from './stage.ts';
import type { StageName } from './stages.ts';

export interface Row {
  /** Numbers of the reference that this row shows. */
  readonly ids: readonly string[];
  readonly says: string;
  /** Where the gateway differs from Airflow, on purpose, and why. */
  readonly differs?: string;
  /** The configuration. Default: the example as it stands. */
  readonly stage?: StageName;
  readonly run: (stage: Stage) => Promise<void>;
}

export interface Expected {
  readonly status: number;
  /** A text is the whole of it, a pattern a part. */
  readonly detail?: string | RegExp;
  /** Does the answer bring a new token? Default: no. */
  readonly renewed?: boolean;
}

/** Asks, and holds the answer to what is expected. */
export async function answers(stage: Stage, line: string, ask: Ask, expected: Expected): Promise<Answer> {
  const answer = await stage.ask(line, ask);
  const { status, detail, renewed = false } = expected;
  expect({ status: answer.status, renewed: answer.renewed !== null }).toEqual({ status, renewed });
  if (typeof detail === 'string') expect(answer.text).toBe(JSON.stringify({ detail }));
  else if (detail !== undefined) expect(answer.detail).toMatch(detail);
  return answer;
}

/** A row that is one request and its answer. */
export function asks(
  ids: string,
  says: string,
  line: string,
  ask: () => Ask,
  expected: Expected,
  more: Pick<Row, 'differs' | 'stage'> = {},
): Row {
  return {
    ids: ids.split(' '),
    says,
    ...more,
    run: async (stage) => void (await answers(stage, line, ask(), expected)),
  };
}

export const own = '00000000-0000-0000-0000-00000000000a';
export const other = '00000000-0000-0000-0000-00000000000b';
export const wrongType = (type: string, allowed = 'execution'): string =>
  `Token type '${type}' not allowed for this endpoint. Allowed types: ${allowed}`;
export const wrongSubject = 'Token subject does not match task instance ID';
export const invalid = 'Invalid auth token';
