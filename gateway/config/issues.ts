/** Turns what the schema finds into findings in our own words. */
import type { z } from 'zod';
import type { ConfigPath, PolicyProblem } from '../route/problem.ts';
import { configSchema } from './schema.ts';
import { suggestionFor } from './suggest.ts';

type Issue = z.core.$ZodIssue;

/** Findings for all issues of one parse. `value` is what was parsed. */
export function findingsOf(issues: readonly Issue[], value: unknown): readonly PolicyProblem[] {
  return issues.flatMap((issue) => explain(issue, [], value));
}

function explain(issue: Issue, above: ConfigPath, root: unknown): readonly PolicyProblem[] {
  const path: ConfigPath = [...above, ...(issue.path as (string | number)[])];
  const received = valueAt(root, path);
  switch (issue.code) {
    case 'unrecognized_keys': {
      const among = keysAt(configSchema, path);
      return issue.keys.map((key) => ({
        path: [...path, key],
        message: `unknown key "${key}"`,
        unknown: { word: key, among },
        atKey: true,
      }));
    }
    case 'invalid_type':
      return [{ path, message: typeMessage(issue.expected, received), atKey: (received ?? null) === null }];
    case 'invalid_value': {
      if (received === undefined) return [{ path, message: 'is required', atKey: true }];
      const values = issue.values.map((member) => JSON.stringify(member)).join(', ');
      const message = issue.values.length === 1 ? `must be ${values}` : `must be one of ${values}`;
      const words = issue.values.filter((member): member is string => typeof member === 'string');
      const meant = typeof received === 'string' ? suggestionFor(received, words) : null;
      return [{ path, message: meant === null ? message : `${message}; did you mean "${meant}"?` }];
    }
    case 'invalid_union':
      return explainUnion(issue.errors, path, root, received);
    case 'invalid_key':
      return [
        {
          path,
          message: `the name ${issue.issues.map(({ message }) => message).join(' and ')}`,
          atKey: true,
        },
      ];
    case 'too_small':
    case 'too_big':
      return [{ path, message: boundMessage(issue) }];
    case 'invalid_format':
    case 'invalid_element':
    case 'not_multiple_of':
    case 'custom':
      return [{ path, message: issue.message }];
  }
}

const kinds: Readonly<Record<string, string>> = {
  object: 'a mapping',
  record: 'a mapping',
  array: 'a list',
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
};

function typeMessage(expected: string, received: unknown): string {
  if (received === undefined) return 'is required';
  const wanted = `must be ${kinds[expected] ?? expected}`;
  if (received === null) return `is empty and ${wanted}`;
  return typeof received === 'string' && (expected === 'number' || expected === 'int')
    ? `${wanted}, not text`
    : wanted;
}

function boundMessage(issue: Extract<Issue, { code: 'too_small' | 'too_big' }>): string {
  const [bound, word] = issue.code === 'too_small' ? [issue.minimum, 'at least'] : [issue.maximum, 'at most'];
  const limit =
    issue.inclusive === false ? `${word === 'at least' ? 'more' : 'less'} than ${bound}` : `${word} ${bound}`;
  if (issue.origin === 'string') return bound === 1 ? 'must not be empty' : `must have ${limit} characters`;
  if (issue.origin === 'array')
    return bound === 1 && word === 'at least' ? 'must not be an empty list' : `must have ${limit} items`;
  return `must be ${limit}`;
}

/** Of the members of a union, the one that was meant; or all that could have been. */
function explainUnion(
  branches: readonly (readonly Issue[])[],
  path: ConfigPath,
  root: unknown,
  received: unknown,
): readonly PolicyProblem[] {
  if (received === undefined) return [{ path, message: 'is required', atKey: true }];
  const meant = branches.find((issues) => !issues.some((issue) => isMismatch(issue)));
  const found = (meant ?? []).flatMap((issue) => explain(issue, path, root));
  if (found.length > 0) return found;
  const wants = branches.flatMap((issues) => issues.flatMap((issue) => explain(issue, path, root)));
  const choices = new Set(
    wants.map(({ message }) => message.replace(/^(?:is empty and )?must be /, '').replace(/, not text$/, '')),
  );
  return [{ path, message: `must be ${[...choices].join(' or ')}` }];
}

/** The value is of another kind altogether. */
function isMismatch(issue: Issue): boolean {
  if (issue.path.length > 0) return false;
  if (issue.code === 'invalid_union')
    return issue.errors.every((issues) => issues.some((inner) => isMismatch(inner)));
  return issue.code === 'invalid_type' || issue.code === 'invalid_value';
}

function valueAt(root: unknown, path: ConfigPath): unknown {
  let value = root;
  for (const step of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined;
    value = (value as Record<string | number, unknown>)[step];
  }
  return value;
}

/** The keys that a section of the schema has: for "did you mean". */
export function keysAt(schema: unknown, path: ConfigPath): readonly string[] {
  const { def } = (schema as z.core.$ZodType)._zod as unknown as { def: SchemaDef };
  switch (def.type) {
    case 'object': {
      const [step, ...rest] = path;
      if (step === undefined) return Object.keys(def.shape);
      return Object.hasOwn(def.shape, step) ? keysAt(def.shape[step], rest) : [];
    }
    case 'array':
      return keysAt(def.element, path.slice(1));
    case 'record':
      return keysAt(def.valueType, path.slice(1));
    case 'union':
      return def.options.flatMap((option) => keysAt(option, path));
    case 'pipe':
      return keysAt(def.in, path);
    case 'lazy':
      return keysAt(def.getter(), path);
    case 'optional':
    case 'default':
    case 'prefault':
      return keysAt(def.innerType, path);
    case 'other':
    default:
      return [];
  }
}

/** The part of zod's schema definitions that is walked. */
type SchemaDef =
  | { readonly type: 'object'; readonly shape: Readonly<Record<string, unknown>> }
  | { readonly type: 'array'; readonly element: unknown }
  | { readonly type: 'record'; readonly valueType: unknown }
  | { readonly type: 'union'; readonly options: readonly unknown[] }
  | { readonly type: 'pipe'; readonly in: unknown }
  | { readonly type: 'lazy'; readonly getter: () => unknown }
  | { readonly type: 'optional' | 'default' | 'prefault'; readonly innerType: unknown }
  | { readonly type: 'other' };
