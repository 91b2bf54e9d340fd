import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { run } from '../cli/memory-terminal.ts';
import { startGateway, testPreamble } from '../support/gateway.ts';

const folder = await mkdtemp(join(tmpdir(), 'sallyport-publish-'));
afterAll(() => rm(folder, { recursive: true }));

const real = (file: string): string => join(import.meta.dirname, '../../node_modules', file);

type Json = Record<string, unknown>;
interface Document {
  readonly openapi: string;
  readonly info: Json;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Json & { security: Record<string, string[]>[] }>>>>;
  readonly components: Readonly<Record<string, Json>>;
} // prettier-ignore

let files = 0;
async function publish(
  routes: string,
  more = '',
  documents: Readonly<Record<string, object>> = {},
  issuer = '',
) {
  const config = join(folder, `${++files}.yaml`);
  for (const [name, document] of Object.entries(documents))
    await writeFile(join(folder, name), JSON.stringify(document));
  await writeFile(
    config,
    `version: 1
issuers:
  main: { issuer: https://main/, algorithms: [ES256], keys: { discovery: true } }
  other: { issuer: other, algorithms: [ES256], keys: { jwks_uri: https://other/jwks } }
  ${issuer}
upstreams: { api: { urls: ["http://127.0.0.1:3000"] } }
${more}
routes:
${routes}`,
  );
  const { code, out, err } = await run(['openapi', '-c', config]);
  return { code, err, document: code === 0 ? (JSON.parse(out) as Document) : null };
}

const securityOf = async (settings: string): Promise<unknown> =>
  (await publish(`  - { path: /a, methods: [GET], upstream: api, ${settings} }\n`)).document!.paths['/a']![
    'get'
  ]!.security;

describe('security is what the route asks for', () => {
  test.each([
    ['nothing', 'public: true', []],
    ['a token', 'issuer: main', [{ main: [] }]],
    ['all scopes', 'issuer: main, scopes: { all: [r, w] }', [{ main: ['r', 'w'] }]],
    ['one of some', 'issuer: main, scopes: { all: [r], any: [a, b] }', [{ main: ['r', 'a'] }, { main: ['r', 'b'] }]],
    ['two issuers', 'issuers: [main, other], scopes: { all: [r] }', [{ main: ['r'] }, { other: ['r'] }]],
  ])('%s', async (_, settings, security) => {
    expect(await securityOf(settings)).toEqual(security);
  }); // prettier-ignore
});

describe('tokens that have to be bound to a client certificate', () => {
  const more = `listener: { trust_client_cert: true, trusted_proxies: [127.0.0.1] }\n`;
  const bound = (issuers: string, more = '') =>
    `  - { path: /a, methods: [GET], upstream: api, issuers: [${issuers}], certificate_bound: true${more} }\n`;

  test('come with the scheme mutualTLS (OpenAPI 3.1.1 section 4.8.27), for every alternative', async () => {
    const routes = `${bound('main, other', ', scopes: { all: [r] }')}  - { path: /b, methods: [GET], upstream: api, issuer: main }\n`;
    const { document } = await publish(routes, more);
    expect(document!.paths['/a']!['get']!.security).toEqual([
      { main: ['r'], mutualTLS: [] },
      { other: ['r'], mutualTLS: [] },
    ]);
    expect(document!.paths['/b']!['get']!.security).toEqual([{ main: [] }]);
    expect(document!.components['securitySchemes']).toMatchObject({ mutualTLS: { type: 'mutualTLS' } });
  });

  test('have a scheme of their own beside an issuer of that name', async () => {
    const issuer = 'mutualTLS: { issuer: m, algorithms: [ES256], keys: { jwks_uri: https://m/jwks } }';
    const { document } = await publish(bound('mutualTLS'), more, {}, issuer);
    expect(document!.paths['/a']!['get']!.security).toEqual([{ mutualTLS: [], mutualTLS_: [] }]);
    expect(document!.components['securitySchemes']).toMatchObject({
      mutualTLS: { type: 'http' },
      mutualTLS_: { type: 'mutualTLS' },
    });
  });

  test('are told of in words where OpenAPI 3.0 knows no such scheme', async () => {
    const old = { openapi: '3.0.4', info: {}, paths: { '/o': { get: { responses: {} } } } };
    const routes = `${bound('main')}  - { openapi: old-bound.json, issuer: main, upstream: api, certificate_bound: true }\n`;
    const { document } = await publish(routes, more, { 'old-bound.json': old });
    for (const path of ['/a', '/o']) {
      expect(document!.paths[path]!['get']!.security).toEqual([{ main: [] }]);
      expect(document!.paths[path]!['get']!['description']).toContain('bound to the certificate');
    }
    expect(Object.keys(document!.components['securitySchemes']!)).toEqual(['main']);
  });
});

test('issuers that routes take are its security schemes', async () => {
  const { document } = await publish('  - { path: /a, issuers: [main, other], upstream: api }\n');
  expect(document!.components['securitySchemes']).toEqual({
    main: { type: 'openIdConnect', openIdConnectUrl: 'https://main/.well-known/openid-configuration' },
    other: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' },
  });
});

test('what OpenAPI has no words for is described: several segments, and everything below', async () => {
  const { document } = await publish(
    '  - { path: "/k/{key*}/x", methods: [PUT], issuer: main, upstream: api }\n  - { prefix: /p, issuer: main, upstream: api }\n',
    'openapi: { title: Things, version: 2.1.0 }',
  );
  expect(document).toMatchObject({ openapi: '3.1.1', info: { title: 'Things', version: '2.1.0' } });
  expect(Object.keys(document!.paths)).toEqual(['/k/{key}/x', '/p/{path}']);
  expect(document!.paths['/k/{key}/x']!['put']).toMatchObject({ parameters: [{ name: 'key', in: 'path', required: true, description: expect.stringContaining('slashes included') as string }] });
  expect(Object.keys(document!.paths['/p/{path}']!)).toHaveLength(7);
}); // prettier-ignore

describe('an imported document', () => {
  const described = {
    openapi: '3.1.0',
    paths: {
      '/a/{id}': {
        parameters: [{ name: 'id', in: 'path', required: true, schema: { type: 'string' }, 'x-airflow-p': 1 }],
        get: {
          operationId: 'getA', security: [], 'x-airflow-hidden': true, 'x-other': 'kept', description: 'Gets.',
          responses: {
            200: {
              description: 'ok', headers: { 'x-airflow-version': { schema: { type: 'string' } } },
              content: { 'application/json': { schema: { $ref: '#/components/schemas/A' }, example: { 'x-airflow-in-data': 1 } } },
            },
          },
        },
      },
    },
    components: {
      schemas: {
        A: {
          type: 'object', 'x-airflow-model': 'A', properties: { 'x-airflow-property': { type: 'string', 'x-airflow-q': 1 }, b: { $ref: '#/components/schemas/B' } },
          discriminator: { propertyName: 'b', mapping: { b: '#/components/schemas/B' } },
        },
        B: { enum: ['x'], 'x-airflow-z': {} },
      },
    },
  }; // prettier-ignore
  const node = (file: string, prefix = ''): string =>
    `  - { ${prefix}openapi: ${file}, issuer: main, upstream: api }\n`;
  const internal = 'openapi: { internal: [x-airflow-] }';

  test('reference 1.12: internal extensions are gone from operations and schemas; names and data stay', async () => {
    const { document } = await publish(node('one.json'), internal, { 'one.json': described });
    expect(document!.paths['/a/{id}']).toEqual({
      get: {
        operationId: 'getA', 'x-other': 'kept', description: 'Gets.', security: [],
        parameters: [{ name: 'id', in: 'path', required: true, schema: { type: 'string' } }],
        responses: described.paths['/a/{id}'].get.responses,
      },
    });
    expect(document!.components['schemas']).toEqual({
      A: {
        type: 'object', properties: { 'x-airflow-property': { type: 'string' }, b: { $ref: '#/components/schemas/B' } },
        discriminator: { propertyName: 'b', mapping: { b: '#/components/schemas/B' } },
      },
      B: { enum: ['x'] },
    });
  }); // prettier-ignore

  test('components of two documents that are alike are one, and others are told apart', async () => {
    const other = structuredClone(described);
    other.components.schemas.B.enum = ['y'];
    const { document } = await publish(node('one.json') + node('two.json', 'prefix: /two, '), internal, {
      'one.json': described,
      'two.json': other,
    });
    const { schemas } = document!.components as { schemas: Record<string, { enum?: string[] }> };
    expect(Object.keys(schemas)).toEqual(['A', 'B', 'A_2', 'B_2']);
    expect([schemas['B']!.enum, schemas['B_2']!.enum]).toEqual([['x'], ['y']]);
    expect(JSON.stringify(document!.paths['/two/a/{id}'])).toContain('#/components/schemas/A_2');
    expect(JSON.stringify(schemas['A_2'])).toContain('"mapping":{"b":"#/components/schemas/B_2"}');
    // An operationId stands once in a document.
    expect(document!.paths['/two/a/{id}']!['get']).not.toHaveProperty('operationId');
  });

  test('schemas of 3.0 are not published beside later ones, and scopes are described in 3.0', async () => {
    const old = { openapi: '3.0.3', paths: { '/o': { get: {} } } };
    const mixed = await publish(node('one.json') + node('old.json'), '', { 'one.json': described, 'old.json': old });
    expect([mixed.code, mixed.err]).toEqual([1, expect.stringContaining('cannot be published as one')]);
    const { document } = await publish('  - { openapi: old.json, issuer: main, upstream: api, scopes: { all: [r], any: [a, b] } }\n', '', { 'old.json': old });
    expect(document).toMatchObject({
      openapi: '3.0.4',
      paths: { '/o': { get: { security: [{ main: [] }], description: 'Required scopes: r; one of a, b.' } } },
    });
  }); // prettier-ignore

  test.each([
    ['GitBook', real('@gitbook/api/spec/openapi.json'), '{}', 377],
    ['Figma', real('@figma/rest-api-spec/openapi/openapi.yaml'), '{ PersonalAccessToken: false, PlanAccessToken: false }', 51],
  ])('%s: every operation is there, every reference leads somewhere, every scheme exists', async (_, file, schemes, count) => {
    const { document } = await publish(`  - { openapi: { file: "${file}", schemes: ${schemes} }, issuer: main, upstream: api }\n`);
    const operations = Object.values(document!.paths).flatMap((item) => Object.values(item));
    expect(operations).toHaveLength(count);
    const references = [...JSON.stringify(document).matchAll(/"\$ref":"(#[^"]+)"/g)].map(([, reference]) => reference!);
    expect(references.length).toBeGreaterThan(50);
    for (const reference of new Set(references)) {
      const target = reference.slice(2).split('/').reduce<unknown>((value, step) => (value as Json | undefined)?.[step.replaceAll('~1', '/')], document);
      expect([reference, target]).toEqual([reference, expect.anything()]);
    }
    for (const { security } of operations) for (const requirement of security) expect(Object.keys(requirement)).toEqual(['main']);
  }); // prettier-ignore
});

test('a route answers the document, which a program finds under the type that it has', async () => {
  const gateway = await startGateway(
    `${testPreamble}routes:\n  - { path: /openapi.json, public: true, respond: { openapi: true } }\n  - { path: /b, public: true, respond: {} }\n`,
  );
  try {
    const answer = await fetch(`${gateway.url}/openapi.json`);
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'application/json']);
    const document = (await answer.json()) as Document;
    expect(Object.keys(document.paths)).toEqual(['/openapi.json', '/b']);
    expect(document).toEqual(JSON.parse((await run(['openapi', '-c', gateway.configFile])).out));
  } finally {
    await gateway.stop();
  }
});
