/**
 * Sections of the configuration: strict objects whose wire spelling (`snake_case`) ends here.
 * Keys that users name themselves (issuers, upstreams, headers) live in records and stay as written.
 */
import { z } from 'zod';

type CamelCase<S extends string> = S extends `${infer Head}_${infer Tail}`
  ? `${Head}${Capitalize<CamelCase<Tail>>}`
  : S;

export type CamelKeys<T> = { readonly [K in keyof T as K extends string ? CamelCase<K> : K]: T[K] };

function camelKeys<T extends object>(value: T): CamelKeys<T> {
  const entries = Object.entries(value).map(([key, member]: [string, unknown]): [string, unknown] => [
    key.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()),
    member,
  ]);
  return Object.fromEntries(entries) as CamelKeys<T>;
}

type Strict<S extends z.ZodRawShape> = z.ZodObject<S, z.core.$strict>;

export type Section<S extends z.ZodRawShape> = z.ZodPipe<
  Strict<S>,
  z.ZodTransform<CamelKeys<z.output<Strict<S>>>, z.output<Strict<S>>>
>;

/** A strict object; unknown keys are refused, and the result has camelCase keys. */
export function section<S extends z.ZodRawShape>(shape: S): Section<S> {
  return z.strictObject(shape).transform((value) => camelKeys(value));
}
