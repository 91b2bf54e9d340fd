import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { jsonSchemaText } from '../../gateway/config/json-schema.ts';

interface Json {
  readonly [key: string]: Json;
}

const committed = readFileSync(
  new URL('../../gateway/config/sallyport.schema.json', import.meta.url),
  'utf8',
);
const schema = JSON.parse(committed) as Json;

test('the committed JSON Schema is fresh (npm run schema)', () => {
  expect(committed).toBe(jsonSchemaText());
});

/** Every section, with its path. */
function* sections(node: unknown, path: string): Generator<[string, Json]> {
  if (typeof node !== 'object' || node === null) return;
  if ('properties' in node) yield [path, node as Json];
  for (const [key, member] of Object.entries(node)) yield* sections(member, `${path}/${key}`);
}

describe('it is good to use in an editor', () => {
  test('it is draft-07, which is what YAML language servers read', () => {
    expect(schema['$schema']).toBe('http://json-schema.org/draft-07/schema#');
  });

  test('every section refuses unknown keys, and every key has a description', () => {
    const all = [...sections(schema, '#')];
    expect(all.length).toBeGreaterThan(15);
    for (const [path, section] of all) {
      expect({ path, more: section['additionalProperties'] }).toEqual({ path, more: false });
      for (const [key, member] of Object.entries(section['properties']!))
        expect({ path, key, described: Boolean(member['description']) }).toMatchObject({ described: true });
    }
  });

  test('only what must be there is required', () => {
    expect(schema['required']).toEqual(['version', 'routes']);
  });

  test('routes contain routes by reference', () => {
    const route = schema['definitions']!['route']!;
    expect(route['properties']!['routes']!['items']).toEqual({ $ref: '#/definitions/route' });
    expect(Object.keys(schema['definitions']!)).toEqual(['route', 'environment']);
  });

  test('defaults are there, and a reference to the environment fits wherever a value is no free text', () => {
    const port = schema['properties']!['listener']!['properties']!['port']!;
    expect(port['default']).toBe(8080);
    expect(port['anyOf']).toEqual([
      { type: 'integer', minimum: 0, maximum: 65_535 },
      { $ref: '#/definitions/environment' },
    ]);
    const { pattern } = schema['definitions']!['environment'] as unknown as { pattern: string };
    expect('${env:PORT:-8080}').toMatch(new RegExp(pattern));
    expect('${PORT').not.toMatch(new RegExp(pattern));
  });
});
