/**
 * Brings the OpenAPI documents that routes name into a configuration: their operations become nodes of the route tree. Called
 * by `load.ts`, between the schema and the meaning, so that everything behind sees routes and nothing else.
 */
import { dirname, isAbsolute, join } from 'node:path';
import type { Minor } from '../openapi/document.ts';
import { importDocument } from '../openapi/import.ts';
import { ProblemList, showPath, type ConfigPath, type PolicyProblem } from '../route/problem.ts';
import { jsonPlaces } from './json-places.ts';
import type { Problem } from './problem.ts';
import type { RouteNode } from './route-schema.ts';
import type { Config } from './schema.ts';
import { problemsInText, readSource, textBytesMax, type Source } from './source.ts';
import { hintFor } from './suggest.ts';
import type { ReadFile } from './watch.ts';

/** The text of a file, or why it cannot be read. */
export type ReadText = (file: string) => { readonly text: string } | { readonly problem: string };

export interface ImportedDocument {
  readonly value: unknown;
  readonly minor: Minor;
  /** Places of the operations that the routes below the node are of, in their order. */
  readonly operations: readonly ConfigPath[];
  /** Place of the node that imports it. */
  readonly at: ConfigPath;
}

export interface Imports {
  readonly config: Config;
  /** Found in the configuration. */
  readonly findings: readonly PolicyProblem[];
  /** Found in documents. */
  readonly problems: readonly Problem[];
  readonly warnings: readonly Problem[];
  readonly documents: readonly ImportedDocument[];
  readonly files: readonly ReadFile[];
  /** The place of a finding about an imported operation; null for all else. */
  readonly locate: (finding: PolicyProblem) => Problem | null;
}

/** `file` is the configuration's own. */
export function importDocuments(config: Config, file: string, readText: ReadText): Imports {
  const importer = new Importer(config, dirname(file), readText);
  const routes = config.routes.map((node, index) => importer.expand(node, ['routes', index]));
  return {
    config: { ...config, routes },
    findings: importer.findings.all,
    problems: importer.problems,
    warnings: importer.warnings,
    documents: importer.documents,
    files: importer.files,
    locate: (finding) => importer.locate(finding),
  };
}

/** Operations that one node was given, and the document that they are in. */
interface Origin {
  readonly source: Pick<Source, 'locate'>;
  readonly operations: readonly ConfigPath[];
}

class Importer {
  readonly findings = new ProblemList();
  readonly problems: Problem[] = [];
  readonly warnings: Problem[] = [];
  readonly documents: ImportedDocument[] = [];
  readonly files: ReadFile[] = [];
  readonly #config: Config;
  readonly #folder: string;
  readonly #readText: ReadText;
  readonly #origins = new Map<string, Origin>();

  constructor(config: Config, folder: string, readText: ReadText) {
    this.#config = config;
    this.#folder = folder;
    this.#readText = readText;
  }

  /** A node with what it imports below it, and the same for the nodes below it. */
  expand(node: RouteNode, at: ConfigPath): RouteNode {
    if (node.openapi === undefined) {
      if (node.routes === undefined) return node;
      return {
        ...node,
        routes: node.routes.map((child, index) => this.expand(child, [...at, 'routes', index])),
      };
    }
    if (node.routes !== undefined) {
      this.findings.add([...at, 'routes'], '`openapi` and `routes` exclude each other: make two nodes', {
        atKey: true,
      });
      return node;
    }
    return { ...node, routes: this.#import(node.openapi, at) };
  }

  locate(finding: PolicyProblem): Problem | null {
    for (let depth = finding.path.length - 1; depth > 0; depth--) {
      const origin = this.#origins.get(showPath(finding.path.slice(0, depth)));
      const operation = origin?.operations[finding.path[depth] as number];
      if (operation !== undefined) return origin!.source.locate({ ...finding, path: operation, atKey: true });
    }
    return null;
  }

  #import(openapi: NonNullable<RouteNode['openapi']>, at: ConfigPath): readonly RouteNode[] {
    const options =
      typeof openapi === 'string'
        ? { file: openapi, schemes: {}, optional: undefined, base: undefined }
        : openapi;
    const place = [...at, 'openapi', ...(typeof openapi === 'string' ? [] : ['file'])];
    const file = isAbsolute(options.file) ? options.file : join(this.#folder, options.file);
    const read = this.#readText(file);
    this.files.push({ file, text: 'text' in read ? read.text : null });
    if ('problem' in read) {
      this.findings.add(place, read.problem);
      return [];
    }
    const issuers = Object.keys(this.#config.issuers);
    const unknown = Object.entries(options.schemes).filter(
      ([, issuer]) => issuer !== false && !issuers.includes(issuer),
    );
    for (const [name, issuer] of unknown) {
      this.findings.addUnknown([...at, 'openapi', 'schemes', name], 'issuer', String(issuer), issuers);
    }
    const source = readDocument(file, read.text);
    this.problems.push(...source.problems);
    if (source.problems.length > 0 || unknown.length > 0) return [];
    const found = new ProblemList();
    const { minor, routes, notes } = importDocument(source.value, options, found);
    this.problems.push(...found.all.map(source.locate));
    for (const { kind, at: place, operations } of notes) {
      const which = operations === 1 ? 'the operation is' : `${operations} operations are`;
      const what =
        kind === 'public'
          ? 'public: no token is asked for or looked at'
          : 'not served: each alternative needs a scheme that `openapi.schemes` leaves out';
      this.warnings.push(source.locate({ path: place, message: `${which} ${what}`, atKey: true }));
    }
    for (const name of Object.keys(options.schemes)) {
      if (!hasScheme(source.value, name))
        this.findings.add([...at, 'openapi', 'schemes', name], 'the document has no such security scheme', {
          atKey: true,
        });
    }
    const operations = routes.map(({ at: operation }) => operation);
    if (minor !== null) this.documents.push({ value: source.value, minor, operations, at });
    this.#origins.set(showPath([...at, 'routes']), { source, operations });
    return routes.map(({ node }) => node as RouteNode);
  }
}

function hasScheme(document: unknown, name: string): boolean {
  const { components } = document as { components?: { securitySchemes?: object } };
  return Object.hasOwn(components?.securitySchemes ?? {}, name);
}

/** JSON is read as such where it is that; all else, and what is wrong with it, is the YAML reader's. */
function readDocument(file: string, text: string): Pick<Source, 'value' | 'problems' | 'locate'> {
  if (text.length > textBytesMax || !/^\s*\{/.test(text)) return readSource(file, text, null);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return readSource(file, text, null);
  }
  const placeOf = jsonPlaces(text);
  const at = problemsInText(file, text);
  return {
    value,
    problems: [],
    locate: ({ path, message, unknown, atKey }) => {
      const hint = unknown === undefined ? '' : hintFor(unknown.word, unknown.among);
      return at(showPath(path), message + hint, placeOf(path, atKey === true));
    },
  };
}
