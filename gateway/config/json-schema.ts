/**
 * The configuration's JSON Schema (draft-07, what editors read), made from the one schema there is. `sallyport schema`
 * prints it; the committed copy beside this file is what a modeline points to.
 */
import { z } from 'zod';
import { configSchema } from './schema.ts';

/** Where a value is no free text, a reference to the environment stands in for it too. */
const environment = {
  type: 'string',
  pattern: String.raw`^\$\{(?:env:)?[A-Za-z_]\w*(?::[-?].*)?\}$`,
  description: 'Taken from the environment.',
};

type Json = Record<string, unknown>;

const isJson = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Texts that anything fits already. */
function isFreeText(schema: Json): boolean {
  return schema['type'] === 'string' && !('pattern' in schema) && !('enum' in schema) && !('const' in schema);
}

function isScalar(schema: Json): boolean {
  const { type, anyOf } = schema;
  if (Array.isArray(anyOf)) return anyOf.every((member) => isJson(member) && isScalar(member));
  return type === 'string' || type === 'integer' || type === 'number' || type === 'boolean';
}

function withReferences(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map((member) => withReferences(member));
  if (!isJson(schema)) return schema;
  if (isScalar(schema) && !isFreeText(schema)) {
    const { description, default: preset, ...rest } = schema;
    const members: readonly unknown[] = Array.isArray(rest['anyOf']) ? rest['anyOf'] : [rest];
    return {
      ...(description === undefined ? {} : { description }),
      ...(preset === undefined ? {} : { default: preset }),
      anyOf: [...members, { $ref: '#/definitions/environment' }],
    };
  }
  return Object.fromEntries(
    // The names of sections are no values.
    Object.entries(schema).map(([key, member]) => [
      key,
      key === 'propertyNames' ? member : withReferences(member),
    ]),
  );
}

/** The document as text, with a final line break. */
export function jsonSchemaText(): string {
  const schema = z.toJSONSchema(configSchema, { target: 'draft-07', io: 'input' });
  const { $schema, definitions, ...root } = withReferences(schema) as Json;
  const document = {
    $schema,
    title: 'Sallyport configuration',
    ...root,
    definitions: { ...(definitions as Json), environment },
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}
