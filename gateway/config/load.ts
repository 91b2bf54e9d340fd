/**
 * Loads a configuration: text, environment, schema, meaning, policy. Either all of it is good, or every problem is told
 * at once and nothing is used. `start`, `check`, `explain` and reload come here and nowhere else.
 */
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { compilePolicy } from '../route/compile.ts';
import type { Policy } from '../route/policy.ts';
import type { ConfigPath, PolicyProblem } from '../route/problem.ts';
import { type Effective, effectiveOf } from './effective.ts';
import { importDocuments, type ReadText } from './imports.ts';
import { findingsOf } from './issues.ts';
import { missingSecrets, resolveFiles } from './named-files.ts';
import type { Place, Problem } from './problem.ts';
import { repair } from './repair.ts';
import { publishedBy, withPublished } from './published.ts';
import { configSchema, type Config } from './schema.ts';
import { checkConfig } from './semantics.ts';
import { readSource, type Source, type Substituted } from './source.ts';
import type { Environment } from './substitute.ts';
import { warningsOf } from './warnings.ts';
import type { ReadFile } from './watch.ts';

/** `files`: further files that were read, or should have been. */
export type Loaded = { readonly files: readonly ReadFile[] } & (
  | {
      readonly ok: true;
      readonly config: Config;
      readonly policy: Policy;
      readonly warnings: readonly Problem[];
      /** Where a place of the configuration is written. */
      readonly placeOf: (path: ConfigPath) => Place;
      /** The OpenAPI document of all routes as JSON; null where imported documents cannot be published as one. */
      readonly openapi: () => string | null;
      readonly effective: Effective;
    }
  | { readonly ok: false; readonly problems: readonly Problem[] }
);

/** Reads and checks a file. Never throws for what is in the file or for its absence. */
export async function loadConfig(file: string, env: Environment): Promise<Loaded> {
  let text: string;
  try {
    text = decodeText(await readFile(file));
  } catch (error) {
    const message = `the file cannot be read (${reasonOf(error)})`;
    return {
      ok: false,
      files: [],
      problems: [{ file, line: 0, column: 0, path: '', message, excerpt: null }],
    };
  }
  const source = readSource(file, text, env);
  const loaded = check(source, file, readTextFile);
  if (!loaded.ok) return loaded;
  const missing = await missingSecrets(loaded.config, env);
  return { ...loaded, warnings: [...loaded.warnings, ...missing.map(source.locate)] };
}

/** The same on a text, without a look at any other file. `file` names it, and relative names are beside it. */
export function parseConfig(text: string, file: string, env: Environment): Loaded {
  return check(readSource(file, text, env), file, () => ({ problem: 'no other file is read here' }));
}

function readTextFile(file: string): ReturnType<ReadText> {
  try {
    return { text: decodeText(readFileSync(file)) };
  } catch (error) {
    return { problem: `the file cannot be read (${reasonOf(error)})` };
  }
}

const decodeText = (bytes: Uint8Array): string =>
  new TextDecoder('utf-8', { fatal: true, ignoreBOM: false }).decode(bytes);

const reasonOf = (error: unknown): string =>
  error instanceof TypeError
    ? 'it is not UTF-8'
    : ((error as NodeJS.ErrnoException).code ?? 'unknown reason');

function check(source: Source, file: string, readText: ReadText): Loaded {
  if (source.value === null && source.problems.length > 0)
    return { ok: false, files: [], problems: source.problems };
  const { value, result } = parse(source);
  const findings = result.success ? [] : findingsOf(result.error.issues, value);
  // A variable that is missing has been reported; that its place is empty then is no news.
  const reported = new Set(source.problems.map(({ path }) => path));
  const repaired = result.success ? { config: result.data, isTainted: () => false } : repair(value, findings);
  const imports = repaired === null ? null : importDocuments(repaired.config, file, readText);
  const locate = (finding: PolicyProblem): Problem =>
    imports?.locate(finding) ?? redact(source.locate(finding), finding.path, source.substituted);
  const meaning =
    repaired === null || imports === null
      ? []
      : [...imports.findings, ...meaningOf(imports.config)].filter((finding) => !repaired.isTainted(finding));
  const problems = [
    ...source.problems,
    ...[...findings, ...meaning].map(locate).filter(({ path }) => path === '' || !reported.has(path)),
    ...(imports?.problems ?? []),
  ].toSorted(
    (a, b) => Number(a.file !== file) - Number(b.file !== file) || a.line - b.line || a.column - b.column,
  );
  const files = imports?.files ?? [];
  if (problems.length > 0 || imports === null) return { ok: false, files, problems };
  const compiled = compilePolicy(imports.config);
  if (!compiled.ok) return { ok: false, files, problems };
  const openapi = (): string | null => publishedBy(imports.config, compiled.policy, imports.documents);
  const published = withPublished(imports.config, compiled.policy, openapi);
  if ('finding' in published) return { ok: false, files, problems: [locate(published.finding)] };
  const { policy } = published;
  const config = deepFreeze(resolveFiles(published.config, dirname(resolve(file))));
  return {
    ok: true,
    config,
    policy,
    warnings: [...warningsOf(config, policy).map(locate), ...imports.warnings],
    placeOf: (path) => locate({ path, message: '', atKey: true }),
    openapi,
    effective: effectiveOf(config, source.substituted),
    files,
  };
}

/** A substituted text is typed as YAML would type it, and taken as text where the schema wants text. */
function parse(source: Source): { value: unknown; result: ReturnType<typeof configSchema.safeParse> } {
  const value = source.value;
  const result = configSchema.safeParse(value);
  if (result.success) return { value, result };
  const texts = source.substituted.filter(({ path }) =>
    result.error.issues.some((issue) => startsWith(path, issue.path)),
  );
  if (texts.length === 0) return { value, result };
  const asText = structuredClone(value);
  for (const { path, text } of texts) setAt(asText, path, text);
  const second = configSchema.safeParse(asText);
  const isBetter = second.success || second.error.issues.length < result.error.issues.length;
  return isBetter ? { value: asText, result: second } : { value, result };
}

const startsWith = (path: ConfigPath, start: readonly PropertyKey[]): boolean =>
  start.every((step, index) => path[index] === step);

function setAt(root: unknown, path: ConfigPath, value: unknown): void {
  let node = root as Record<string | number, unknown>;
  for (const step of path.slice(0, -1)) node = node[step] as typeof node;
  node[path.at(-1)!] = value;
}

function meaningOf(config: Config): readonly PolicyProblem[] {
  const compiled = compilePolicy(config);
  return [...checkConfig(config), ...(compiled.ok ? [] : compiled.problems)];
}

const secretLengthMin = 4;

/** Nothing that came out of the environment is printed: its place shows the reference instead. */
function redact(problem: Problem, path: ConfigPath, substituted: readonly Substituted[]): Problem {
  let { message } = problem;
  for (const { path: place, source, text } of substituted) {
    const isHere = startsWith(place, path) || startsWith(path, place);
    if (text !== '' && (isHere || text.length >= secretLengthMin))
      message = message.replaceAll(text, () => source);
  }
  return { ...problem, message };
}

function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  for (const member of Object.values(value)) deepFreeze(member);
  return Object.freeze(value);
}
