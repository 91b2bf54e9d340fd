/**
 * Copies parts of an imported document into a published one: without internal extensions, with references that lead to where
 * their components have gone.
 *
 * Source: OpenAPI 3.1.1 sections 4.9 (Specification Extensions) and 4.8.23 (Reference Object).
 */
import { isObject, type Json } from './document.ts';

export interface CopyRules {
  /** Is this key of an object an extension that is not published? */
  readonly isInternal: (key: string) => boolean;
  /** Where a reference within the document leads now; null where its target is copied in its place. */
  readonly newReference: (reference: string) => string | null;
  /** What a reference of the second kind leads to. */
  readonly targetOf: (reference: string) => unknown;
}

/** Members whose keys are names that somebody chose, and no keys of the specification. */
const namesBelow = new Set([
  'properties', 'patternProperties', '$defs', 'definitions', 'dependentSchemas', 'schemas', 'responses', 'headers', 'examples',
  'callbacks', 'links', 'requestBodies', 'pathItems', 'mediaTypes', 'content', 'encoding', 'variables', 'mapping', 'securitySchemes',
]); // prettier-ignore
/** Members that are data of the API. */
const data = new Set(['example', 'default', 'const', 'enum', 'value', 'dataValue']);

const depthMax = 100;

/** `isNames`: the keys of the value are names. */
export function copied(value: unknown, rules: CopyRules, isNames = false, depth = 0): unknown {
  if (depth > depthMax) return {};
  if (Array.isArray(value)) return value.map((item) => copied(item, rules, false, depth + 1));
  if (!isObject(value)) return value;
  const reference = value['$ref'];
  if (!isNames && typeof reference === 'string' && reference.startsWith('#/')) {
    const moved = rules.newReference(reference);
    if (moved === null) return copied(rules.targetOf(reference), rules, false, depth + 1);
    return { ...copyMembers(value, rules, false, depth), $ref: moved };
  }
  return copyMembers(value, rules, isNames, depth);
}

function copyMembers(value: Json, rules: CopyRules, isNames: boolean, depth: number): Json {
  const members = Object.entries(value).flatMap(([key, member]): [string, unknown][] => {
    if (isNames)
      return [
        [
          key,
          typeof member === 'string' ? movedText(member, rules) : copied(member, rules, false, depth + 1),
        ],
      ];
    if (rules.isInternal(key)) return [];
    const isData = data.has(key) || (key === 'examples' && Array.isArray(member));
    return [[key, isData ? member : copied(member, rules, namesBelow.has(key), depth + 1)]];
  });
  return Object.fromEntries(members);
}

/** The texts of a `mapping` are references, or names of schemas. */
function movedText(text: string, rules: CopyRules): string {
  return text.startsWith('#/components/') ? (rules.newReference(text) ?? text) : text;
}
