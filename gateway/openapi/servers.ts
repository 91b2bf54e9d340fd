/**
 * The base paths that `servers` put in front of a document's paths: hosts are the upstream's affair.
 *
 * Source: OpenAPI 3.1.1 section 4.8.5 (Server Object) and 4.8.6 (Server Variable Object).
 */
import type { ProblemList } from '../route/problem.ts';
import { isObject, member, type Located } from './document.ts';

const choicesMax = 64;

/** Distinct base paths without a slash at their end; `['']` where nothing is said. */
export function basePaths({ value: servers, at }: Located, problems: ProblemList): readonly string[] {
  if (!Array.isArray(servers) || servers.length === 0) return [''];
  const bases = new Set<string>();
  for (const [index, server] of servers.entries()) {
    const url = member(server, 'url');
    const place = [...at, index, 'url'];
    if (typeof url !== 'string') {
      problems.add([...at, index], 'a server has a `url`', { atKey: true });
      continue;
    }
    for (const text of expanded(url, member(server, 'variables'))) {
      const base = text === null ? null : pathOf(text);
      if (base !== null) bases.add(base);
      else problems.add(place, `no base path can be read out of this: give one by \`openapi.base\``);
    }
  }
  return [...bases];
}

/** Every URL that a template stands for; null for a variable that could be anything. */
function expanded(url: string, variables: unknown): readonly (string | null)[] {
  const name = /\{([^{}]*)\}/.exec(url)?.[1];
  if (name === undefined) return [url];
  const variable = isObject(variables) ? member(variables, name) : undefined;
  const preset = member(variable, 'default');
  const choices = member(variable, 'enum');
  const values = Array.isArray(choices) ? (choices as readonly unknown[]) : [preset];
  if (
    values.length === 0 ||
    values.length > choicesMax ||
    !values.every((value) => typeof value === 'string')
  )
    return [null];
  const filled = values.flatMap((value) =>
    expanded(
      url.replaceAll(`{${name}}`, () => value),
      variables,
    ),
  );
  return filled.slice(0, choicesMax);
}

/** The path of an absolute or relative URL. */
function pathOf(url: string): string | null {
  const base = 'http://server.invalid/';
  if (!URL.canParse(url, base) || url.includes('{')) return null;
  return new URL(url, base).pathname.replace(/\/+$/, '');
}
