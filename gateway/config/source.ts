/**
 * A configuration file as text: YAML 1.2 (core schema) to plain values, with the environment substituted, and the way
 * back from a place in the configuration to its place in the text.
 */
import { isAlias, isCollection, isMap, isScalar, isSeq, LineCounter } from 'yaml';
import type { Document, Node, Pair } from 'yaml';
import { ProblemList, showPath, type ConfigPath, type PolicyProblem } from '../route/problem.ts';
import type { Problem } from './problem.ts';
import { hintFor } from './suggest.ts';
import { retyped, substitute, type Environment } from './substitute.ts';
import { depthMax, parseYaml, showBraces, type Range } from './yaml.ts';

/** A value that came out of the environment. */
export interface Substituted {
  readonly path: ConfigPath;
  /** As written, e.g. `${env:PORT}`. */
  readonly source: string;
  readonly text: string;
}

export interface Source {
  /** Plain values; null when the text is no YAML. */
  readonly value: unknown;
  readonly substituted: readonly Substituted[];
  readonly problems: readonly Problem[];
  /** Turns findings about places of the configuration into problems with places in the text. */
  readonly locate: (finding: PolicyProblem) => Problem;
}

// Far above any real configuration, far below what hurts: a few aliases can stand for billions of nodes.
export const textBytesMax = 16 * 1024 * 1024;
const nodesMax = 2_000_000;
const aliasedNodesMax = 50_000;

/** A problem at a place in a text. */
export type ProblemAt = (path: string, message: string, range: Range) => Problem;

function problemsIn(file: string, text: string, lines: LineCounter): ProblemAt {
  return (path, message, [start, end]) => {
    const { line, col } = lines.linePos(start);
    const lineStart = lines.lineStarts[line - 1] ?? 0;
    const lineEnd = text.indexOf('\n', lineStart);
    const shown = text.slice(lineStart, lineEnd === -1 ? text.length : lineEnd).trimEnd();
    return { file, line, column: col, path, message, excerpt: { text: shown, width: end - start } };
  };
}

/** The same for a text that was not read as YAML. */
export function problemsInText(file: string, text: string): ProblemAt {
  const lines = new LineCounter();
  lines.addNewLine(0);
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) lines.addNewLine(at + 1);
  return problemsIn(file, text, lines);
}

/** `env` null: nothing is substituted. */
export function readSource(file: string, text: string, env: Environment | null): Source {
  const lines = new LineCounter();
  const at = problemsIn(file, text, lines);
  const none = { value: null, substituted: [] };
  if (text.length > textBytesMax) {
    const problem = {
      file,
      line: 0,
      column: 0,
      path: '',
      message: 'the file is larger than 16 MiB',
      excerpt: null,
    };
    return { ...none, problems: [problem], locate: ({ message }) => ({ ...problem, message }) };
  }
  const { document, faults } = parseYaml(text, lines);
  const problems = faults.map(({ message, range }) => at('', message, range));
  if (document === null) return { ...none, problems, locate: ({ message }) => at('', message, [0, 0]) };
  const locate = (finding: PolicyProblem): Problem => {
    const { unknown, message, path } = finding;
    const hint = unknown === undefined ? '' : hintFor(unknown.word, unknown.among);
    return at(showPath(path), message + hint, rangeOf(document, path, finding.atKey === true));
  };
  const read = readValues(document, env);
  return { ...read, problems: [...problems, ...read.problems.map(locate)], locate };
}

interface Values {
  readonly value: unknown;
  readonly substituted: readonly Substituted[];
  readonly problems: readonly PolicyProblem[];
}

function readValues(document: Document.Parsed, env: Environment | null): Values {
  const problems = new ProblemList();
  const substituted: Substituted[] = [];
  let nodes = 0;
  let aliasedNodes = 0;

  const readScalar = (scalar: unknown, path: ConfigPath): unknown => {
    if (typeof scalar !== 'string') return scalar;
    const value = showBraces(scalar);
    if (env === null || !value.includes('$')) return value;
    const result = substitute(value, env);
    if (!result.ok) {
      problems.add(path, result.message);
      return '';
    }
    if (!result.fromEnvironment) return result.text;
    substituted.push({ path, source: value, text: result.text });
    return retyped(result.text);
  };

  const read = (node: Node | null, path: ConfigPath, isAliased: boolean): unknown => {
    nodes += 1;
    if (isAliased) aliasedNodes += 1;
    if (nodes > nodesMax || aliasedNodes > aliasedNodesMax || path.length > depthMax) {
      problems.add([], 'the file is too large or too deep, or its aliases make it so');
      return null;
    }
    if (node === null) return null;
    if (isAlias(node)) {
      const named = node.resolve(document);
      if (named !== undefined) return read(named, path, true);
      problems.add(path, `nothing is named by the anchor &${node.source}`);
      return null;
    }
    if (isScalar(node)) return readScalar(node.value, path);
    if (isSeq(node)) return node.items.map((item, index) => read(item as Node, [...path, index], isAliased));
    if (!isMap(node)) return null;
    const entries = node.items.map(({ key, value }): [string, unknown] => {
      const name = keyOf(key);
      if (name === null) {
        problems.add(path, 'a key is a plain text', { atKey: true });
        return ['', null];
      }
      return [name, read(value as Node | null, [...path, name], isAliased)];
    });
    return Object.fromEntries(entries);
  };

  return { value: read(document.contents, [], false), substituted, problems: problems.all };
}

const keyOf = (key: unknown): string | null => (isScalar(key) ? showBraces(String(key.value)) : null);

/** Where a place is in the text; where it is missing, the nearest one around it. */
function rangeOf(document: Document.Parsed, path: ConfigPath, atKey: boolean): Range {
  let node: Node | null = document.contents;
  let range: Range = startOf(node);
  for (const [depth, step] of path.entries()) {
    if (isAlias(node)) node = node.resolve(document) ?? null;
    const isLast = depth === path.length - 1;
    if (isSeq(node)) {
      node = (node.items[Number(step)] ?? null) as Node | null;
      if (node !== null) range = isLast && !atKey ? textOf(node) : startOf(node);
    } else if (isMap(node)) {
      const pair = (node.items as Pair<Node, Node | null>[]).findLast(
        ({ key }) => keyOf(key) === String(step),
      );
      if (pair === undefined) return range;
      node = pair.value;
      range = isLast && !atKey && node !== null && !isFilled(node) ? textOf(node) : textOf(pair.key);
    } else return range;
  }
  return range;
}

const isFilled = (node: Node): boolean => isCollection(node) && node.items.length > 0;

function textOf(node: Node | null): Range {
  const [start = 0, end = start] = node?.range ?? [];
  return [start, end];
}

/** A collection is shown by its first key or item. */
function startOf(node: Node | null): Range {
  let first = node;
  for (let depth = 0; isCollection(first) && depth < depthMax; depth++) {
    const item = first.items[0] as Node | Pair<Node, Node> | undefined;
    if (item === undefined) break;
    first = 'key' in item ? item.key : item;
  }
  return textOf(first);
}
