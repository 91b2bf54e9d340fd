/**
 * Compiles an OpenAPI document to nodes of the route tree, one for each operation and base path. What cannot be honoured is a
 * problem at its place in the document. Called by `config/imports.ts`; what nodes inherit and whether their paths can be
 * matched is `route/compile.ts`, as for every other node.
 *
 * Source: OpenAPI 3.1.1 sections 4.8.8 to 4.8.10 (Paths, Path Item, Operation).
 */
import { isDeepStrictEqual } from 'node:util';
import { methods } from '../core/methods.ts';
import type { ConfigPath, ProblemList } from '../route/problem.ts';
import type { RouteSource } from '../route/source.ts';
import { isObject, member, minorOf, resolved, type Json, type Located, type Minor } from './document.ts';
import { SecurityReader, type Access, type SecurityOptions } from './security.ts';
import { basePaths } from './servers.ts';

export interface ImportOptions extends SecurityOptions {
  /** Stands for what `servers` say. */
  readonly base?: string | undefined;
}

export interface ImportedRoute {
  readonly node: RouteSource;
  /** Its operation. */
  readonly at: ConfigPath;
}

export interface Imported {
  /** Null where the document is none that is understood. */
  readonly minor: Minor | null;
  readonly routes: readonly ImportedRoute[];
  /** Places that make operations public, or leave them out, and how many. */
  readonly notes: readonly ImportNote[];
}

export interface ImportNote {
  readonly kind: 'public' | 'nobody';
  readonly at: ConfigPath;
  readonly operations: number;
}

/** Members of a path item that are no operations. */
const aboutPath = new Set(['summary', 'description', 'servers', 'parameters', '$ref']);
const operationKeys: ReadonlyMap<string, string> = new Map(
  methods.map((method) => [method.toLowerCase(), method]),
);

export function importDocument(document: unknown, options: ImportOptions, problems: ProblemList): Imported {
  const nothing = { minor: null, routes: [], notes: [] };
  const minor = minorOf(document, problems);
  if (minor === null) return nothing;
  const paths = member(document, 'paths');
  if (!isObject(paths)) {
    problems.add([], 'the document has no `paths`');
    return nothing;
  }
  const security = new SecurityReader(document, minor, options, problems);
  const routes: ImportedRoute[] = [];
  const notes = new Map<string, ImportNote>();
  for (const [template, item] of Object.entries(paths)) {
    if (template.startsWith('x-')) continue;
    const at = ['paths', template];
    if (!template.startsWith('/')) {
      problems.add(at, 'a path begins with a slash', { atKey: true });
      continue;
    }
    const found = resolved(document, { value: item, at }, problems);
    if (found === null) continue;
    const operations = operationsOf(found, problems).flatMap((operation): SecuredOperation[] => {
      const access = security.read(nearest('security', operation.member, { value: document, at: [] }));
      if (access === null) return [];
      const levels = [operation.member, found, { value: document, at: [] }];
      const bases =
        options.base === undefined ? basePaths(nearest('servers', ...levels), problems) : [options.base];
      return [{ ...operation, access, bases }];
    });
    const get = operations.find(({ method }) => method === 'GET');
    for (const operation of operations) {
      const { method, member: own, access, bases } = operation;
      if (access.kind === 'public' || access.kind === 'nobody') {
        const key = JSON.stringify(access.at);
        const { kind, at: place } = access;
        notes.set(key, { kind, at: place, operations: (notes.get(key)?.operations ?? 0) + 1 });
      }
      if (method === 'HEAD' && get !== undefined) checkHead(operation, get, problems);
      else
        for (const base of bases)
          routes.push({ node: nodeOf(base + template, method, own.value, access), at: own.at });
    }
  }
  if (routes.length === 0 && problems.all.length === 0)
    problems.add(['paths'], 'the document has no operations');
  return { minor, routes, notes: [...notes.values()] };
}

interface Operation {
  readonly method: string;
  readonly member: Located & { readonly value: Json };
}

interface SecuredOperation extends Operation {
  readonly access: Access;
  readonly bases: readonly string[];
}

/** A route for GET serves HEAD as well. */
function checkHead(head: SecuredOperation, get: SecuredOperation, problems: ProblemList): void {
  const askedOf = ({ access, bases }: SecuredOperation): unknown => [
    access.kind === 'token' ? access : access.kind,
    bases,
  ];
  if (isDeepStrictEqual(askedOf(head), askedOf(get))) return;
  problems.add(head.member.at, 'HEAD is served as GET is, and the two ask for different things here', {
    atKey: true,
  });
}

function operationsOf({ value: item, at }: Located, problems: ProblemList): readonly Operation[] {
  if (!isObject(item)) {
    problems.add(at, 'a path item is a mapping');
    return [];
  }
  return Object.entries(item).flatMap(([key, value]): Operation[] => {
    const method = operationKeys.get(key);
    if (method === undefined) {
      if (!key.startsWith('x-') && !aboutPath.has(key))
        problems.add([...at, key], `"${key}" is no method that a route can have`, { atKey: true });
      return [];
    }
    if (isObject(value)) return [{ method, member: { value, at: [...at, key] } }];
    problems.add([...at, key], 'an operation is a mapping');
    return [];
  });
}

/** The member of the first object that has it, with its place; of the last one if none has. */
function nearest(key: string, ...levels: readonly Located[]): Located {
  const level = levels.find(({ value }) => member(value, key) !== undefined) ?? levels.at(-1)!;
  return { value: member(level.value, key), at: [...level.at, key] };
}

const idLengthMax = 128;

function nodeOf(path: string, method: string, operation: Json, access: Access): RouteSource {
  const operationId = member(operation, 'operationId');
  const needsId = method.length + 1 + path.length > idLengthMax && typeof operationId === 'string';
  const named = { path, methods: [method], ...(needsId ? { id: operationId } : {}) };
  switch (access.kind) {
    case 'unsaid':
      return named;
    case 'public':
      return { ...named, public: true };
    case 'nobody':
      return { path, unserved: true };
    case 'token': {
      const { issuers, all, clauses } = access;
      return {
        ...named,
        public: false,
        ...(issuers === null ? {} : { issuers }),
        ...(all.length === 0 ? {} : { scopes: { all } }),
        ...(clauses.length === 0 ? {} : { anyOf: clauses }),
      };
    }
  }
}
