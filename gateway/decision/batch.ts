/** Many questions in one call: what is asked as JSON, and how each answer is written. */
import type { Refusal } from '../core/errors.ts';

/** Questions in one batch; bytes of its body. */
export const batchQuestionsMax = 100;
export const batchBytesMax = 1_048_576;

export interface BatchQuestion {
  readonly method: string;
  readonly path: string;
  /** A token of its own; null for that of the batch. */
  readonly token: string | null;
}

/**
 * Reads `{"requests": [{"method": "GET", "path": "/orders?x=1", "token": "eyJ…"}, …]}`. Null when it is anything else, a
 * member more included: a misspelt `token` would be decided with another one.
 */
export function readBatch(text: string): readonly BatchQuestion[] | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (!hasOnly(value, ['requests']) || !Array.isArray(value['requests'])) return null;
  const items: readonly unknown[] = value['requests'];
  if (items.length > batchQuestionsMax) return null;
  const questions: BatchQuestion[] = [];
  for (const item of items) {
    if (!hasOnly(item, ['method', 'path', 'token'])) return null;
    const { method, path, token = null } = item;
    if (typeof method !== 'string' || typeof path !== 'string') return null;
    if (token !== null && typeof token !== 'string') return null;
    questions.push({ method, path, token });
  }
  return questions;
}

function hasOnly(value: unknown, names: readonly string[]): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  return Object.keys(value).every((name) => names.includes(name));
}

/** One answer of a batch. */
export type BatchAnswer =
  | {
      readonly allowed: true;
      readonly status: 200;
      readonly route: string;
      /** Fields for the upstream. */
      readonly headers: Readonly<Record<string, string>>;
      /** Whole seconds that it may be kept. */
      readonly max_age: number;
    }
  | {
      readonly allowed: false;
      readonly status: number;
      readonly code: Refusal['code'];
      readonly title: string;
      readonly challenge?: string;
    };
