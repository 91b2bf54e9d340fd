/**
 * Claims on their way to header fields: what a value becomes there, and which values cannot go.
 *
 * A value that would arrive as something else is refused, not bent: an array without a separator, an element that holds
 * the separator, a number that JSON could not carry exactly, spaces that a parser would trim, anything beyond ASCII.
 */
import type { Projection } from '../route/policy.ts';
import type { JsonObject } from './json.ts';

/** Characters; a claim that is larger does not go into a header. */
export const headerValueLengthMax = 8192;

const printable = /^(?:[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?)?$/;

/** The value at a path of member names, or undefined. Only own members count, and arrays have none. */
export function claimAt(claims: JsonObject, path: readonly string[]): unknown {
  let value: unknown = claims;
  for (const name of path) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
    if (!Object.hasOwn(value, name)) return undefined;
    value = (value as JsonObject)[name];
  }
  return value;
}

function scalarText(value: unknown): string | false {
  if (typeof value === 'boolean') return value ? 'true' : 'false';
  if (typeof value === 'number') {
    if (!Number.isFinite(value) || (Number.isInteger(value) && !Number.isSafeInteger(value))) return false;
    return String(value);
  }
  return typeof value === 'string' && printable.test(value) ? value : false;
}

function joined(values: readonly unknown[], separator: string): string | false {
  const texts: string[] = [];
  for (const value of values) {
    const text = scalarText(value);
    if (text === false || (separator !== '' && text.includes(separator))) return false;
    texts.push(text);
  }
  const line = texts.join(separator);
  return printable.test(line) ? line : false;
}

function asciiJson(value: unknown): string {
  return JSON.stringify(value).replaceAll(
    /[\u007f-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** A claim as a header value: `null` when it is absent (or JSON null), `false` when it cannot be one. */
export function project(claims: JsonObject, projection: Projection): string | null | false {
  const value = claimAt(claims, projection.path);
  if (value === undefined || value === null) return null;
  let text: string | false;
  if (projection.json) text = asciiJson(value);
  else if (!Array.isArray(value)) text = scalarText(value);
  else text = projection.join === null ? false : joined(value, projection.join);
  return text !== false && text.length <= headerValueLengthMax ? text : false;
}
