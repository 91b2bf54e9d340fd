/**
 * An OpenAPI document as plain values, with the few moves that reading one takes: its version, its members, its references.
 * Nothing of it is trusted to have the type that the specification says.
 *
 * Source: OpenAPI Specification 3.0.4, 3.1.1 and 3.2.0.
 */
import type { ConfigPath, ProblemList } from '../route/problem.ts';

export type Json = Readonly<Record<string, unknown>>;

/** A value and its place in the document; the place is where it is written, behind all references. */
export interface Located {
  readonly value: unknown;
  readonly at: ConfigPath;
}

export const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Own members only: `toString` is no path. */
export const member = (value: unknown, key: string): unknown =>
  isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;

export type Minor = '3.0' | '3.1' | '3.2';

/** The version that a document says it is of; null when it is none that is understood. */
export function minorOf(document: unknown, problems: ProblemList): Minor | null {
  const version = member(document, 'openapi');
  const [, minor] = typeof version === 'string' ? (/^(3\.[012])\.\d+$/.exec(version) ?? []) : [];
  if (minor !== undefined) return minor as Minor;
  const other = member(document, 'swagger') === undefined ? '' : '; Swagger 2.0 can be converted to it';
  problems.add(
    member(document, 'openapi') === undefined ? [] : ['openapi'],
    `the document is not OpenAPI 3.0, 3.1 or 3.2${other}`,
  );
  return null;
}

const referencesMax = 32;

/** Follows `$ref` within the document. Null, and a problem, where it leads out of it, nowhere, or round in a circle. */
export function resolved(document: unknown, start: Located, problems: ProblemList): Located | null {
  let found = start;
  for (let hops = 0; hops < referencesMax; hops++) {
    const reference = member(found.value, '$ref');
    if (reference === undefined) return found;
    const at = [...found.at, '$ref'];
    if (typeof reference !== 'string' || !reference.startsWith('#/')) {
      problems.add(at, 'only references within the document are followed: bundle it into one file');
      return null;
    }
    const path = reference.slice(2).split('/').map(unescaped);
    let value: unknown = document;
    for (const step of path) value = Array.isArray(value) ? value[Number(step)] : member(value, step);
    if (value === undefined) {
      problems.add(at, 'the reference leads nowhere');
      return null;
    }
    found = { value, at: path };
  }
  problems.add([...start.at, '$ref'], 'the references go round in a circle');
  return null;
}

/** RFC 6901 section 4, behind the escapes of a URI fragment. */
export function unescaped(step: string): string {
  let text = step;
  try {
    text = decodeURIComponent(step);
  } catch {
    // Taken as it is; it then leads nowhere.
  }
  return text.replaceAll('~1', '/').replaceAll('~0', '~');
}
