import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { loadConfig, type Loaded } from '../../gateway/config/load.ts';
import { headline } from '../../gateway/config/problem.ts';
import { routeTable, type RouteRow } from '../../gateway/explain/route-table.ts';
import { conjunction } from '../../gateway/openapi/security.ts';

const folder = await mkdtemp(join(tmpdir(), 'sallyport-import-'));
afterAll(() => rm(folder, { recursive: true }));

const head = `openapi: 3.1.0
info: { title: t, version: '1' }
components:
  securitySchemes:
    oauth: { type: oauth2, flows: {} }
    oidc: { $ref: '#/components/x' }
    bearer: { type: http, scheme: Bearer }
    basic: { type: http, scheme: basic }
    key: { type: apiKey, in: header, name: X-Key }
    field: { type: apiKey, in: header, name: Authorization }
    tls: { type: mutualTLS }
  x: { type: openIdConnect, openIdConnectUrl: https://i }
`;

let files = 0;
async function load(document: string, node = '{ openapi: FILE, upstream: api, issuer: main }', more = ''): Promise<Loaded> {
  const name = `${++files}`;
  await writeFile(join(folder, `${name}.openapi.yaml`), document);
  const config = join(folder, `${name}.yaml`);
  await writeFile(
    config,
    `version: 1
issuers:
  main: { issuer: main, algorithms: [ES256], keys: { jwks_uri: https://main/jwks } }
  other: { issuer: other, algorithms: [ES256], keys: { jwks_uri: https://other/jwks } }
upstreams: { api: { urls: ["http://127.0.0.1:3000"] } }
routes:
  - ${node.replace('FILE', `${name}.openapi.yaml`)}
${more}`,
  );
  return loadConfig(config, {});
} // prettier-ignore

const short = (text: string): string =>
  text.replaceAll(folder, '').replaceAll(/\/\d+(\.openapi)?\.yaml/g, 'F');

async function problemsOf(document: string, node?: string): Promise<string[]> {
  const loaded = await load(document, node);
  return loaded.ok ? [] : loaded.problems.map((problem) => short(headline(problem)));
}

async function rowsOf(document: string, node?: string, more?: string): Promise<readonly RouteRow[]> {
  const loaded = await load(document, node, more);
  expect(loaded.ok ? [] : loaded.problems.map(headline)).toEqual([]);
  return loaded.ok ? routeTable(loaded) : [];
}

const one = (operation: string, more = ''): string => `${head}${more}paths:\n  /a:\n    get: ${operation}\n`;

describe('security', () => {
  const all = (...scopes: string[]) => ({ public: false, scopes: { all: scopes, any: [] } });

  test.each([
    ['scopes of one scheme are all required', '{ security: [{ oauth: [r, w] }] }', all('r', 'w')],
    ['so are those of two schemes in one map (AND)', '{ security: [{ oauth: [r], oidc: [w] }] }', all('r', 'w')],
    ['alternatives (OR) become one list', '{ security: [{ oauth: [r] }, { oauth: [w] }] }', { scopes: { all: [], any: [['r', 'w']] } }],
    ['what all alternatives ask for is required', '{ security: [{ oauth: [r, a] }, { oauth: [w, a] }] }', { scopes: { all: ['a'], any: [['r', 'w']] } }],
    ['an alternative without scopes asks for a token only', '{ security: [{ bearer: [] }, { oauth: [w] }] }', all()],
    ['3.1 knows roles of bearer tokens', '{ security: [{ bearer: [role] }] }', all('role')],
    ['an empty list is public', '{ security: [] }', { public: true, tokens: [] }],
    ['a document that does not say leaves it to the node', '{}', { public: false, tokens: [expect.objectContaining({ issuer: 'main', audiences: null, types: null })] }],
  ])('%s', async (_, operation, row) => {
    expect(await rowsOf(one(operation))).toEqual([expect.objectContaining({ path: '/a', methods: ['GET'], ...row })]);
  }); // prettier-ignore

  test('the document says it for every operation that does not', async () => {
    const rows = await rowsOf(`${head}security: [{ oauth: [r] }]\npaths:\n  /a: { get: {}, put: { security: [{ oauth: [w] }] } }\n`);
    expect(rows.map(({ scopes }) => scopes.all)).toEqual([['r'], ['w']]);
  }); // prettier-ignore

  test('schemes stand for issuers, and one that is left out opens nothing', async () => {
    const node =
      '{ openapi: { file: FILE, schemes: { bearer: other, oauth: main, basic: false } }, upstream: api }';
    const document = `${head}paths:\n  /a: { get: { security: [{ bearer: [] }, { basic: [] }] } }\n  /b: { get: { security: [{ oauth: [] }, { bearer: [] }] } }\n`;
    const rows = await rowsOf(document, node);
    expect(rows.map(({ path, tokens }) => `${path}: ${tokens.map(({ issuer }) => issuer).join()}`)).toEqual([
      '/a: other',
      '/b: main,other',
    ]);
  });

  test('an operation that only a left out scheme opens is not served, nor by a less specific path', async () => {
    const node = '{ openapi: { file: FILE, schemes: { basic: false } }, upstream: api, issuer: main }';
    const loaded = await load(`${head}paths:\n  /a/{id}: { get: {} }\n  /a/me: { get: { security: [{ basic: [] }] } }\n`, node); // prettier-ignore
    if (!loaded.ok) throw new Error('unreachable');
    expect(loaded.policy.closed.map(({ pattern }) => pattern)).toEqual(['/a/me']);
    expect(loaded.warnings.map((warning) => short(headline(warning)))).toContainEqual(
      expect.stringMatching(
        /^F:15:\d+: paths\["\/a\/me"\]\.get\.security: the operation is not served: each alternative needs a scheme/,
      ),
    );
  });

  test('a field Authorization that holds bearer tokens is honoured where it is said whose they are', async () => {
    const document = one('{ security: [{ field: [] }] }');
    const node = '{ openapi: { file: FILE, schemes: { field: other } }, upstream: api }';
    expect((await rowsOf(document, node))[0]!.tokens.map(({ issuer }) => issuer)).toEqual(['other']);
    expect(await problemsOf(document)).toEqual([
      expect.stringMatching(/^F:10:5: .*"field" cannot be honoured.*openapi\.schemes\.field: ISSUER/),
    ]);
  });

  test.each(['basic', 'key', 'tls'])('the scheme %s cannot be honoured, and is told once', async (scheme) => {
    const document = `${head}paths:\n  /a: { get: { security: [{ ${scheme}: [] }] }, put: { security: [{ ${scheme}: [] }] } }\n`;
    expect(await problemsOf(document)).toEqual([expect.stringContaining(`the security scheme "${scheme}" cannot be honoured`)]);
  }); // prettier-ignore

  test('an optional token is refused, required or public, as the node says', async () => {
    const document = one('{ security: [{}, { oauth: [r] }] }');
    const node = (optional: string): string =>
      `{ openapi: { file: FILE, optional: ${optional} }, upstream: api, issuer: main }`;
    expect(await problemsOf(document)).toEqual([
      expect.stringMatching(/^F:15:\d+: paths\["\/a"\]\.get\.security\[0\]: a token is optional here/),
    ]);
    expect(await rowsOf(document, node('required'))).toEqual([expect.objectContaining(all('r'))]);
    expect(await rowsOf(document, node('public'))).toEqual([expect.objectContaining({ public: true })]);
  });

  test('a document that opens all of its operations is told with their number', async () => {
    const loaded = await load(`${head}security: []\npaths:\n  /a: { get: {}, put: {} }\n`);
    expect(loaded.ok ? loaded.warnings.map((warning) => short(headline(warning))) : []).toContain(
      'F:13:1: security: 2 operations are public: no token is asked for or looked at',
    );
  });

  test('an OR of ANDs as an AND of ORs has no needless members, and an end', () => {
    expect(conjunction([['a', 'b'], ['a', 'c']])).toEqual([['a'], ['b', 'c']]);
    expect(conjunction([['a'], []])).toEqual([]);
    const many = Array.from({ length: 12 }, (_, i) => Array.from({ length: 4 }, (_none, j) => `${i}.${j}`));
    expect(conjunction(many)).toBeNull();
  }); // prettier-ignore
});

describe('paths', () => {
  test.each([
    ['no servers', '', ['/a']],
    ['a path', 'servers: [{ url: https://h/v1/ }]\n', ['/v1/a']],
    ['two of them', 'servers: [{ url: /v1 }, { url: "https://h" }, { url: "https://other" }]\n', ['/v1/a', '/a']],
    ['a host that is a variable', 'servers: [{ url: "{host}/v1", variables: { host: { default: "https://h" } } }]\n', ['/v1/a']],
    ['a version that is a variable', 'servers: [{ url: "/{v}", variables: { v: { default: v1, enum: [v1, v2] } } }]\n', ['/v1/a', '/v2/a']],
  ])('servers: %s', async (_, servers, paths) => {
    expect((await rowsOf(one('{}', servers))).map(({ path }) => path)).toEqual(paths);
  }); // prettier-ignore

  test('`base` stands for what servers say, and `prefix` and settings are those of any node', async () => {
    const node =
      '{ prefix: /in, openapi: { file: FILE, base: /b }, upstream: api, issuer: main, scopes: { all: [x] } }';
    const document = one('{ security: [{ oauth: [r] }] }', 'servers: [{ url: /v1 }]\n');
    expect(await rowsOf(document, node)).toEqual([
      expect.objectContaining({ path: '/in/b/a', scopes: { all: ['x', 'r'], any: [] } }),
    ]);
  });

  test('a path item may be a reference, and an operation has the servers of its path', async () => {
    const document = `${head}  pathItems: { one: { servers: [{ url: /s }], get: {}, put: { servers: [{ url: /o }] } } }\npaths:\n  /a: { $ref: '#/components/pathItems/one' }\n`;
    expect((await rowsOf(document)).map(({ path }) => path)).toEqual(['/s/a', '/o/a']);
  });

  test('HEAD is a part of GET where both ask for the same', async () => {
    expect(await rowsOf(`${head}paths:\n  /a: { get: {}, head: {} }\n`)).toHaveLength(1);
    expect(
      await problemsOf(`${head}paths:\n  /a: { get: {}, head: { security: [{ oauth: [h] }] } }\n`),
    ).toEqual([expect.stringContaining('HEAD is served as GET is')]);
  });

  test('a literal is tried before a parameter, whatever the order of the document', async () => {
    const loaded = await load(`${head}paths:\n  /a/{id}: { get: {} }\n  /a/me: { get: {} }\n`);
    expect(loaded.ok && loaded.policy.routes.map(({ id }) => id)).toEqual(['GET /a/{id}', 'GET /a/me']);
  });
});

describe('what cannot be honoured refuses to start, at its place in the document', () => {
  test.each([
    ['Swagger 2.0', "swagger: '2.0'\npaths: {}\n", /^F:1:1: the document is not OpenAPI 3\.0, 3\.1 or 3\.2; Swagger/],
    ['another version', 'openapi: 4.0.0\npaths: {}\n', /^F:1:10: openapi: the document is not/],
    ['no paths', 'openapi: 3.1.0\n', /the document has no `paths`/],
    ['no operations', `${head}paths: {}\n`, /the document has no operations/],
    ['a parameter within a segment', `${head}paths:\n  /a/{b}.json: { get: {} }\n`, /^F:14:18: .*"\{b\}\.json" is no parameter: one is a whole segment/],
    ['two templates that match the same', `${head}paths:\n  /a/{b}: { get: {} }\n  /a/{c}: { get: {} }\n`, /^F:15:13: .*GET \/a\/\{c\} is served by/],
    ['TRACE', `${head}paths:\n  /a: { trace: {} }\n`, /^F:14:9: .*"trace" is no method that a route can have/],
    ['QUERY of 3.2', `${head.replace('3.1.0', '3.2.0')}paths:\n  /a: { query: {} }\n`, /"query" is no method/],
    ['a reference to another file', `${head}paths:\n  /a: { $ref: 'b.yaml' }\n`, /^F:14:15: .*only references within the document/],
    ['a reference to nothing', `${head}paths:\n  /a: { $ref: '#/b' }\n`, /leads nowhere/],
    ['a reference in a circle', `${head}paths:\n  /a: { $ref: '#/paths/~1a' }\n`, /round in a circle/],
    ['an unknown scheme', one('{ security: [{ nobody: [] }] }'), /no security scheme "nobody"/],
    ['scopes of a bearer scheme in 3.0', one('{ security: [{ bearer: [r] }] }').replace('3.1.0', '3.0.3'), /has scopes with oauth2 and openIdConnect only/],
    ['a scope that no token can have', one('{ security: [{ oauth: ["a b"] }] }'), /no token can have this scope/],
    ['security that is no list', one('{ security: { oauth: [] } }'), /is a list of mappings/],
    ['a server that could be anything', one('{}', 'servers: [{ url: "/{v}" }]\n'), /no base path can be read/],
    ['YAML that is none', 'openapi: [', /^F:/],
  ])('%s', async (_, document, problem) => {
    expect(await problemsOf(document)).toEqual([expect.stringMatching(problem)]);
  }); // prettier-ignore

  test('two tokens at once, and issuers that are asked for different scopes', async () => {
    const node = '{ openapi: { file: FILE, schemes: { bearer: other, oauth: main } }, upstream: api }';
    expect(await problemsOf(one('{ security: [{ bearer: [], oauth: [] }] }'), node)).toEqual([
      expect.stringContaining('tokens of two issuers at once'),
    ]);
    expect(await problemsOf(one('{ security: [{ bearer: [] }, { oauth: [w] }] }'), node)).toEqual([
      expect.stringContaining('alternatives of several issuers ask for different scopes'),
    ]);
  });

  test('JSON has places as well', async () => {
    const document = JSON.stringify({ openapi: '3.0.0', paths: { '/a"\\': {}, '/x': { get: {}, trace: {} } } }, null, 1);
    expect(await problemsOf(document)).toEqual([expect.stringMatching(/^F:7:4: paths\["\/x"\]\.trace: "trace" is no method/)]);
  }); // prettier-ignore
});

describe('what is wrong with the node is told at its place in the configuration', () => {
  test.each([
    ['a file that is not there', '{ openapi: none.yaml, upstream: api, issuer: main }', /^F:7:16: routes\[0\]\.openapi: the file cannot be read \(ENOENT\)/],
    ['an issuer that nobody is', '{ openapi: { file: FILE, schemes: { bearer: mian } }, upstream: api, issuer: main }', /unknown issuer "mian"; did you mean "main"/],
    ['a scheme that is not there', '{ openapi: { file: FILE, schemes: { baerer: main } }, upstream: api, issuer: main }', /the document has no such security scheme/],
    ['a path', '{ path: /x, openapi: FILE, upstream: api, issuer: main }', /the paths come from the document/],
    ['routes', '{ openapi: FILE, upstream: api, issuer: main, routes: [{ path: /x }] }', /`openapi` and `routes` exclude each other/],
  ])('%s', async (_, node, problem) => {
    expect(await problemsOf(one('{}'), node)).toEqual([expect.stringMatching(problem)]);
  }); // prettier-ignore
});
