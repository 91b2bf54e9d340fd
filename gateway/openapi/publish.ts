/**
 * Makes the OpenAPI document of a policy: every route with what its tokens have to show, and imported operations as their
 * documents describe them. Called by `config/published.ts`.
 *
 * What OpenAPI has no words for is said in descriptions: parameters of several segments, and scopes where 3.0 knows none.
 *
 * Source: OpenAPI Specification 3.1.1, sections 4.8.8 to 4.8.10, 4.8.27 and 4.8.30.
 */
import { isDeepStrictEqual } from 'node:util';
import { methods } from '../core/methods.ts';
import { paramsOf, parsePattern } from '../route/pattern.ts';
import type { Access, Policy, Route } from '../route/policy.ts';
import type { ConfigPath } from '../route/problem.ts';
import { namesIn } from '../route/vocabulary.ts';
import { copied, type CopyRules } from './copy.ts';
import { isObject, member, unescaped, type Json, type Minor } from './document.ts';

export interface PublishedOperation {
  readonly document: unknown;
  /** Its place in the document. */
  readonly at: ConfigPath;
}

export interface PublishOptions {
  readonly title: string;
  readonly version: string;
  /** Beginnings of the extension keys that are not published. */
  readonly internal: readonly string[];
  /** A security scheme for each issuer. */
  readonly schemes: Readonly<Record<string, Json>>;
  /** The operation that a route was imported for. */
  readonly operationOf: (route: Route) => PublishedOperation | null;
  readonly documents: readonly { readonly value: unknown; readonly minor: Minor }[];
}

const versions: Readonly<Record<Minor, string>> = { '3.0': '3.0.4', '3.1': '3.1.1', '3.2': '3.2.0' };

/** The version that all documents can be published in; null where schemas of 3.0 meet later ones, which mean other things. */
export function commonMinor(documents: PublishOptions['documents']): Minor | null {
  const minors = [...new Set(documents.map(({ minor }) => minor))].toSorted();
  if (minors.length > 1 && minors[0] === '3.0') return null;
  return minors.at(-1) ?? '3.1';
}

export function publishedDocument(policy: Policy, minor: Minor, options: PublishOptions): Json {
  const components = new Components(options);
  const ids = new Set<unknown>();
  const paths: Record<string, Record<string, unknown>> = {};
  const used = new Set<string>();
  const schemes: Record<string, Json> = { ...options.schemes };
  const certificateScheme = freeName('mutualTLS', schemes);
  schemes[certificateScheme] = { type: 'mutualTLS', description: boundToken };
  for (const route of policy.routes) {
    const { path, parameters } = templateOf(route.pattern);
    const item = (paths[path] ??= {});
    const security = securityOf(route.access, policy, minor, certificateScheme);
    for (const scheme of security.list.flatMap((requirement) => Object.keys(requirement))) used.add(scheme);
    const described = options.operationOf(route);
    const operation =
      described === null ? { parameters, responses: anyResponse } : components.operation(described);
    if (ids.has(operation['operationId'])) delete operation['operationId'];
    if (operation['operationId'] !== undefined) ids.add(operation['operationId']);
    const text = [operation['description'], ...security.notes].filter((note) => typeof note === 'string');
    const own = {
      ...operation,
      ...(text.length === 0 ? {} : { description: text.join('\n\n') }),
      security: security.list,
    };
    for (const method of route.methods ?? methods) item[method.toLowerCase()] = own;
  }
  const securitySchemes = Object.fromEntries(Object.entries(schemes).filter(([name]) => used.has(name)));
  return {
    openapi: versions[minor],
    info: { title: options.title, version: options.version },
    paths,
    components: { ...components.all(), securitySchemes },
  };
}

const boundToken = 'The token is bound to the certificate that the caller shows (RFC 8705).';

/** Issuers may have any name. */
function freeName(wanted: string, taken: Readonly<Record<string, Json>>): string {
  let name = wanted;
  while (Object.hasOwn(taken, name)) name += '_';
  return name;
}

const anyResponse = { default: { description: 'What the service answers.' } };

/** `{name*}` and the end of a prefix as parameters, which OpenAPI would have match one segment. */
function templateOf(pattern: string): { path: string; parameters: readonly Json[] } {
  const segments = parsePattern(pattern);
  const isPrefix = segments.at(-1)?.kind === 'rest';
  const params = paramsOf(segments);
  const rest = params.some(({ name }) => name === 'path') ? 'path_below' : 'path';
  const of = (name: string, description: string | null): Json => ({
    name,
    in: 'path',
    required: true,
    ...(description === null ? {} : { description }),
    schema: { type: 'string' },
  });
  const parameters = params.map(({ name, first, last }) =>
    of(name, first === last ? null : 'One or more segments of the path, slashes included.'),
  );
  const below = isPrefix ? [of(rest, 'Anything below this path, slashes included, or nothing.')] : [];
  const path = pattern.replaceAll(/\{([\w-]+)\*\}/g, '{$1}').replace(/\/\*$/, `/{${rest}}`);
  return { path, parameters: [...parameters, ...below] };
}

// A policy may ask for one scope of each of several lists: that many alternatives are written out.
const alternativesMax = 32;

interface Security {
  readonly list: readonly Readonly<Record<string, readonly string[]>>[];
  readonly notes: readonly string[];
}

/** `certificateScheme`: the name of the scheme for tokens that have to be bound to a certificate. */
function securityOf(
  access: Access | null,
  { vocabulary }: Policy,
  minor: Minor,
  certificateScheme: string,
): Security {
  if (access === null) return { list: [], notes: [] };
  const isBound = (issuer: string): boolean =>
    access.certificateBound[vocabulary.issuers.indexOf(issuer)] === true;
  // 3.0 has no such scheme.
  const requirementOf = (issuer: string, scopes: readonly string[]): Security['list'][number] =>
    minor !== '3.0' && isBound(issuer) ? { [issuer]: scopes, [certificateScheme]: [] } : { [issuer]: scopes };
  const issuers = vocabulary.issuers.filter((_, index) => access.issuers[index] === true);
  const all = namesIn(access.all, vocabulary.scopes);
  const any = access.any.map((list) => namesIn(list, vocabulary.scopes));
  const inWords = [...all, ...any.map((list) => `one of ${list.join(', ')}`)].join('; ');
  const count = any.reduce((product, list) => product * list.length, 1);
  const isSaid = minor !== '3.0' && count <= alternativesMax;
  let alternatives: readonly (readonly string[])[] = [isSaid ? all : []];
  if (isSaid)
    for (const list of any)
      alternatives = alternatives.flatMap((scopes) =>
        list.map((scope) => Array.from(new Set(scopes).add(scope))),
      );
  return {
    list: issuers.flatMap((issuer) => alternatives.map((scopes) => requirementOf(issuer, scopes))),
    notes: [
      ...(isSaid || inWords === '' ? [] : [`Required scopes: ${inWords}.`]),
      ...(minor === '3.0' && issuers.some(isBound) ? [boundToken] : []),
    ],
  };
}

/** The components of all documents under one roof; a name that two use for different things gets a number. */
class Components {
  readonly #options: PublishOptions;
  readonly #sections = new Map<string, Map<string, unknown>>();
  /** By document: new names of its components. */
  readonly #names = new Map<unknown, ReadonlyMap<string, string>>();

  constructor(options: PublishOptions) {
    this.#options = options;
    for (const { value } of options.documents) this.#take(value);
  }

  operation({ document, at }: PublishedOperation): Record<string, unknown> {
    const rules = this.#rulesFor(document);
    const item = valueAt(document, at.slice(0, -1));
    const operation = { ...(copied(valueAt(document, at), rules) as Json) };
    // What holds for a path is said of each operation: another document may have the same path.
    const shared = copied(member(item, 'parameters') ?? [], rules) as readonly unknown[];
    const own = (operation['parameters'] ?? []) as readonly unknown[];
    const keyOf = (parameter: unknown): string =>
      `${String(member(parameter, 'in'))} ${String(member(parameter, 'name'))}`;
    const ownKeys = new Set(own.map(keyOf));
    const inherited = shared.filter(
      (parameter) => member(parameter, '$ref') !== undefined || !ownKeys.has(keyOf(parameter)),
    );
    delete operation['servers'];
    return inherited.length + own.length === 0
      ? operation
      : { ...operation, parameters: [...inherited, ...own] };
  }

  all(): Json {
    return Object.fromEntries(
      [...this.#sections].map(([section, members]) => [section, Object.fromEntries(members)]),
    );
  }

  #take(document: unknown): void {
    if (this.#names.has(document)) return;
    const components = member(document, 'components');
    const sections = Object.entries(isObject(components) ? components : {}).filter(
      ([section, members]) => section !== 'securitySchemes' && !section.startsWith('x-') && isObject(members),
    ) as [string, Json][];
    const names = new Map<string, string>();
    this.#names.set(document, names);
    const taken = (section: string): Map<string, unknown> =>
      this.#sections.get(section) ?? new Map<string, unknown>();
    // Shared where all of them are alike, which whatever they refer to then is too.
    const met = sections.flatMap(([section, members]) =>
      Object.entries(members)
        .filter(([name]) => taken(section).has(name))
        .map(([name, value]) => ({ section, name, value })),
    );
    const areShared = met.every(({ section, name, value }) =>
      isDeepStrictEqual(taken(section).get(name), copied(value, this.#rulesFor(document))),
    );
    // All names before all values: components refer to one another.
    for (const [section, members] of sections) {
      const present = new Set([...taken(section).keys(), ...Object.keys(members)]);
      for (const name of Object.keys(members)) {
        let free = name;
        if (!areShared && taken(section).has(name)) {
          for (let number = 2; present.has(free); number++) free = `${name}_${number}`;
        }
        present.add(free);
        names.set(`${section}/${name}`, free);
      }
    }
    for (const [section, members] of sections) {
      const into = taken(section);
      this.#sections.set(section, into);
      for (const [name, value] of Object.entries(members))
        into.set(names.get(`${section}/${name}`)!, copied(value, this.#rulesFor(document)));
    }
  }

  #rulesFor(document: unknown): CopyRules {
    const names = this.#names.get(document)!;
    return {
      isInternal: (key) => this.#options.internal.some((prefix) => key.startsWith(prefix)),
      newReference: (reference) => {
        const [, root, section, name, ...rest] = reference.split('/');
        if (root !== 'components' || section === undefined || name === undefined) return null;
        const renamed = names.get(`${section}/${unescaped(name)}`) ?? unescaped(name);
        return ['#', root, section, escaped(renamed), ...rest].join('/');
      },
      targetOf: (reference) => valueAt(document, reference.slice(2).split('/').map(unescaped)),
    };
  }
}

function valueAt(document: unknown, path: ConfigPath): unknown {
  let value = document;
  for (const step of path)
    value = Array.isArray(value) ? (value as unknown[])[Number(step)] : member(value, String(step));
  return value;
}

/** RFC 6901 section 4. */
const escaped = (name: string): string => name.replaceAll('~', '~0').replaceAll('/', '~1');
