/**
 * The configuration in force as text for people: defaults filled in, spelled as in the file, and without what might be a
 * secret. Those are named by files and variables, but constant fields and parameters may hold one, and so may anything that
 * came out of the environment: its place shows the reference.
 */
import { stringify } from 'yaml';
import { z } from 'zod';
import { configSchema, type Config } from './schema.ts';
import { showPath, type ConfigPath } from '../route/problem.ts';
import type { Substituted } from './source.ts';

/** Makes the text when it is asked for, once: of a large configuration that takes a moment. */
export type Effective = () => string;

/** Values that are written out; a configuration with more than that is cut. */
const nodesMax = 5000;
const textLengthMax = 400;
const notShown = '(not shown)';
const cut = '(the rest is left out)';

export function effectiveOf(config: Config, substituted: readonly Substituted[]): Effective {
  const references = new Map(substituted.map(({ path, source }) => [showPath(path), source]));
  let text: string | null = null;
  return () => {
    text ??= stringify(new Printer(references).print(configSchema, config, []), { lineWidth: 110 });
    return text;
  };
}

class Printer {
  readonly #references: ReadonlyMap<string, string>;
  #nodes = 0;

  constructor(references: ReadonlyMap<string, string>) {
    this.#references = references;
  }

  print(schema: z.core.$ZodType, value: unknown, path: ConfigPath): unknown {
    this.#nodes += 1;
    if (this.#nodes > nodesMax) return cut;
    const isHidden = z.globalRegistry.get(schema)?.['writeOnly'] === true;
    const inner = unwrapped(schema, value);
    if (typeof value !== 'object' || value === null) {
      if (isHidden) return notShown;
      return typeof value === 'string' ? this.#text(value, path) : value;
    }
    if (inner instanceof z.ZodArray)
      return (value as readonly unknown[]).map((item, index) =>
        this.print(inner.element, item, [...path, index]),
      );
    const members = value as Readonly<Record<string, unknown>>;
    const entries =
      inner instanceof z.ZodObject
        ? Object.entries(inner.shape as z.ZodRawShape).map(
            ([key, member]) => [key, member, members[camel(key)]] as const,
          )
        : Object.entries(members).map(
            ([key, member]) => [key, (inner as z.ZodRecord).valueType, member] as const,
          );
    return Object.fromEntries(
      entries
        .filter(([, , member]) => member !== undefined)
        .map(([key, member, given]) => [key, this.print(member, given, [...path, key])]),
    );
  }

  #text(value: string, path: ConfigPath): string {
    const reference = this.#references.get(showPath(path));
    if (reference !== undefined) return reference;
    if (value.length > textLengthMax) return `${value.slice(0, textLengthMax)}… (${value.length} characters)`;
    return withoutSecrets(value);
  }
}

/** Of an address the query may be a key, and so may credentials be. */
function withoutSecrets(text: string): string {
  if (!/^[a-z]+:\/\//.test(text) || !URL.canParse(text)) return text;
  const url = new URL(text);
  if (url.search === '' && url.username === '' && url.password === '') return text;
  const query = url.search === '' ? '' : `?${notShown}`;
  const credentials = url.username === '' && url.password === '' ? '' : `${notShown}@`;
  return `${url.protocol}//${credentials}${url.host}${url.pathname}${query}`;
}

const camel = (key: string): string =>
  key.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());

/** What is behind defaults, transformations and alternatives: of the latter the one that the value is of. */
function unwrapped(schema: z.core.$ZodType, value: unknown): z.core.$ZodType {
  if (
    schema instanceof z.ZodOptional ||
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodPrefault ||
    schema instanceof z.ZodLazy
  )
    return unwrapped(schema.unwrap(), value);
  if (schema instanceof z.ZodPipe) return unwrapped(schema.in, value);
  if (!(schema instanceof z.ZodUnion)) return schema;
  const options = schema.options.map((option) => unwrapped(option, value));
  const fits = (option: z.core.$ZodType): boolean => {
    if (Array.isArray(value)) return option instanceof z.ZodArray;
    if (typeof value === 'object') return option instanceof z.ZodObject || option instanceof z.ZodRecord;
    return !(option instanceof z.ZodArray || option instanceof z.ZodObject || option instanceof z.ZodRecord);
  };
  return options.find(fits) ?? schema;
}
