import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { loadConfig, parseConfig } from '../../gateway/config/load.ts';
import { formatProblems, headline } from '../../gateway/config/problem.ts';
import { base, example, good, problemsIn } from './example.ts';

const folder = await mkdtemp(join(tmpdir(), 'sallyport-load-'));
afterAll(() => rm(folder, { recursive: true }));

describe('the example of the design', () => {
  test('loads as it stands, braces in flow collections and all', () => {
    const { config, policy } = good(example);
    expect(config.listener).toMatchObject({
      host: '0.0.0.0',
      port: 8080,
      threads: 'auto',
      maxHeaderBytes: 16_384,
    });
    expect(config.verifier.batchMax).toBe(64);
    expect(policy.routes.map(({ id }) => id)).toEqual([
      '/orders/*',
      'PATCH /orders/{id}',
      'GET /orders/health',
    ]);
    expect(policy.vocabulary.scopes).toEqual(['orders:read', 'orders:write']);
    expect(policy.routes[1]!.access).toMatchObject({
      subjectParam: 0,
      challengeScope: 'orders:read orders:write',
      tokenTypes: [1],
    });
    expect(policy.routes[2]!.access).toBeNull();
  });

  test('is frozen, and names files beside the configuration', () => {
    const { config } = good(example);
    expect(config.oauth?.store).toEqual({
      file: '/etc/sallyport/credentials',
      keyFile: '/etc/sallyport/store.key',
    });
    expect(
      Object.isFrozen(config) &&
        Object.isFrozen(config.issuers['main']!.keys) &&
        Object.isFrozen(config.routes[0]!.routes),
    ).toBe(true);
  });

  test('gives no reason to warn', () => {
    expect(good(example).warnings.map((warning) => headline(warning))).toEqual([]);
  });
});

describe('problems are told with their place, all at once', () => {
  test('mistyped keys, bad values, unknown names and impossible policies of one file', () => {
    const text = `version: 1
lisener: { port: 1 }
listener:
  port: eighty
  threads: many
issuers:
  main:
    issuer: https://issuer.example
    algorithms: [RS256, HS265]
    keys: { jwks_uri: https://issuer.example/jwks }
  other:
    algorithms: [RS256]
    keys: { jwks_uri: http://keys.example/jwks }
upstreams:
  orders: { urls: [http://127.0.0.1:3000/base] }
routes:
  - prefix: /orders
    isuer: main
    upstream: oders
  - path: /x/{id}
    issuer: mian
    upstream: orders
    subject: { param: ID }
  - path: /x/{name}
    issuer: main
    upstream: orders
    max_body_bytes: -1
`;
    expect(problemsIn(text)).toEqual([
      'gw.yaml:2:1: lisener: unknown key "lisener"; did you mean "listener"?',
      'gw.yaml:4:9: listener.port: must be a number, not text',
      'gw.yaml:5:12: listener.threads: must be "auto" or a number',
      expect.stringMatching(
        /^gw\.yaml:9:25: issuers\.main\.algorithms\[1\]: must be one of "RS256".*; did you mean "HS256"\?$/,
      ),
      'gw.yaml:13:23: issuers.other.keys.jwks_uri: keys fetched by http:// can be replaced on the way; use https://, or say `allow_http: true`',
      'gw.yaml:15:20: upstreams.orders.urls[0]: must have no path and no query: paths are forwarded as they came',
      'gw.yaml:18:5: routes[0].isuer: unknown key "isuer"; did you mean "issuer"?',
      'gw.yaml:19:15: routes[0].upstream: unknown upstream "oders"; did you mean "orders"?',
      'gw.yaml:21:13: routes[1].issuer: unknown issuer "mian"; did you mean "main"?',
      'gw.yaml:23:23: routes[1].subject.param: "ID" is not a path parameter of this route; did you mean "id"?',
      'gw.yaml:27:21: routes[2].max_body_bytes: must be at least 0',
    ]);
  });

  test('with an excerpt and a caret', () => {
    const loaded = parseConfig(`version: 1${base}log:\n  level: inf\n`, 'gw.yaml', {});
    expect(loaded.ok ? '' : formatProblems(loaded.problems)).toBe(
      `gw.yaml:6:10: log.level: must be one of "fatal", "error", "warn", "info", "debug", "silent"; did you mean "info"?
    6 |   level: inf
      |          ^^^
`,
    );
  });

  test('a long line is cut around the place, and tabs keep the caret in step', () => {
    const problem = {
      file: 'f',
      line: 3,
      column: 203,
      path: 'a',
      message: 'm',
      excerpt: { text: `\t${' '.repeat(200)}\tbad end`, width: 3 },
    };
    const [, shown, carets] = formatProblems([problem]).split('\n');
    expect(shown!.slice(carets!.indexOf('^'), carets!.indexOf('^') + 3)).toBe('bad');
    expect(shown!.length).toBeLessThan(140);
    expect(carets).toContain('\t');
  });

  test.each<[string, string, string]>([
    ['an empty file', '', ':1:1: is empty and must be a mapping'],
    ['a list', '[]', ':1:1: must be a mapping'],
    ['another version', `version: 2${base}`, ':1:10: version: must be 1'],
    ['no version', base, ':2:1: version: is required'],
    ['no routes', 'version: 1\nroutes: []', ':2:9: routes: must not be an empty list'],
    ['an empty section', `version: 1${base}listener:\n`, ':5:1: listener: is empty and must be a mapping'],
    [
      'a port out of range',
      `version: 1${base}admin: { port: 99999 }`,
      ':5:16: admin.port: must be at most 65535',
    ],
    [
      'no field name',
      `version: 1${base}identity_headers: [a b]`,
      ':5:20: identity_headers[0]: must be a header field name',
    ],
    [
      'no implied scope',
      `version: 1${base}scopes: { implies: { a: [] } }`,
      ':5:25: scopes.implies.a: must not be an empty list',
    ],
    [
      'a queue below a batch',
      `version: 1${base}verifier: { queue_max: 8 }`,
      ':5:24: verifier.queue_max: must be at least batch_max (64)',
    ],
    [
      'one port twice',
      `version: 1${base}admin: { host: 0.0.0.0, port: 8080 }`,
      ':5:31: admin.port: 8080 is the port of the listener already',
    ],
    [
      'half a millisecond',
      `version: 1${base}shutdown: { delay_ms: 1.5 }`,
      ':5:23: shutdown.delay_ms: must be a whole number',
    ],
  ])('%s', (_, text, line) => {
    expect(problemsIn(text)).toEqual([`gw.yaml${line}`]);
  });

  test('a union tells of the member that was meant', () => {
    const text = `version: 1${base.replace('upstream: app', 'upstream: app, forward: { claims: { a: { clam: sub }, b: 3, c: { claim: [] } } }')}`;
    expect(problemsIn(text).map((line) => line.replace(/^.*claims\./, ''))).toEqual([
      'a.claim: is required',
      'a.clam: unknown key "clam"; did you mean "claim"?',
      'b: must be text or a list or a mapping',
      'c.claim: must not be an empty list',
    ]);
  });

  test('what follows from a fault is not told as another', () => {
    // The issuer of the first route is lost to a mistyped key; the token types of the second to a broken issuer.
    const text = `version: 1
issuers:
  a: { issuer: "https://a", algorithms: [RS256], keys: { jwks_uri: 5 }, token_types: { values: [x], default: x } }
  b: { issuer: "https://b", algorithms: [RS256], keys: { jwks_uri: "https://b/jwks" } }
upstreams: { app: { urls: ["http://127.0.0.1:3000"] } }
routes:
  - { path: /1, isuer: a, upstream: app }
  - { path: /2, issuer: a, upstream: app, token_types: [x] }
`;
    expect(problemsIn(text)).toEqual([
      'gw.yaml:3:68: issuers.a.keys.jwks_uri: must be text',
      'gw.yaml:7:17: routes[0].isuer: unknown key "isuer"; did you mean "issuer"?',
    ]);
  });
});

describe('the environment', () => {
  test('fills values, typed as the schema wants them', () => {
    const text = `version: 1
listener: { host: "\${HOST:-::}", port: \${env:PORT:-8080}, threads: \${THREADS} }
${base.replace('upstream: app', 'upstream: app, forward: { set: { x-key: "${KEY}", x-price: 5$$ } }')}`;
    const { config, policy } = good(text, { PORT: '81', THREADS: '2', KEY: '0123' });
    expect(config.listener).toMatchObject({ host: '::', port: 81, threads: 2 });
    // A text of digits stays text where text is wanted.
    expect(policy.routes[0]!.forwarding.set).toEqual(['x-key', '0123', 'x-price', '5$']);
  });

  test('a missing variable is a problem at its place, and its value no second one', () => {
    expect(problemsIn(`version: 1${base}admin: { port: "\${env:PORT}" }`)).toEqual([
      'gw.yaml:5:16: admin.port: the environment variable PORT is not set; set it, or give a default: ${env:PORT:-…}',
    ]);
  });

  test('C5: what came out of it is never printed', () => {
    const secret = 's3cr3t-v4lue';
    const text = `version: 1
listener: { port: "\${S}", threads: "\${S}", trusted_proxies: ["\${S}"], \${S}: 1 }
log: { level: "x\${S}" }
issuers: { main: { issuer: "\${S}", algorithms: ["\${S}"], keys: { jwks_uri: "\${S}" } } }
upstreams: { app: { urls: ["\${S}"] }, b: { urls: ["http://h/\${S}"] } }
routes:
  - { path: "/\${S}/..", issuer: "\${S}", upstream: "\${S}", id: "\${S}" }
  - { path: /a, issuer: main, upstream: "\${S}x", id: "\${S}" }
  - { path: "/{\${S}}", issuer: main, upstream: app, subject: { param: "\${S}" }, token_types: ["\${S}"] }
  - { path: "\${S}", "\${S}": 1 }
`;
    const loaded = parseConfig(text, 'gw.yaml', { S: secret });
    const printed = loaded.ok ? '' : formatProblems(loaded.problems) + JSON.stringify(loaded.problems);
    expect(loaded.ok ? 0 : loaded.problems.length).toBeGreaterThan(8);
    expect(printed).not.toContain(secret);
    expect(printed).toContain('unknown upstream "${S}"');
  });
});

describe('warnings', () => {
  const warningsIn = (text: string): string[] =>
    good(text, {}, 'gw.yaml').warnings.map((warning) => headline(warning));

  test('issuers and upstreams that no route uses', () => {
    const text = `version: 1${base.replace('routes: [{ prefix: /, upstream: app }]', 'routes: [{ prefix: /, public: true, respond: {} }]')}`;
    expect(warningsIn(text)).toEqual([
      'gw.yaml:2:12: issuers.main: no route takes tokens of this issuer',
      'gw.yaml:3:14: upstreams.app: no route leads to this upstream',
    ]);
  });

  test('a scope that is granted but asked for nowhere, which may be mistyped', () => {
    const text = `version: 1${base.replace('upstream: app', 'upstream: app, scopes: { any: [orders:read] }')}scopes:
  implies:
    admin: [editor, orders:raed]
    editor: [orders:read]
`;
    expect(warningsIn(text)).toEqual([
      'gw.yaml:7:21: scopes.implies.admin[1]: no route asks for the scope "orders:raed"; did you mean "orders:read"?',
    ]);
  });

  test('a configuration without oddities has none', () => {
    expect(warningsIn(`version: 1${base}`)).toEqual([]);
  });
});

describe('files', () => {
  test('a file that cannot be read is a problem, not an exception', async () => {
    const missing = await loadConfig(join(folder, 'none.yaml'), {});
    expect(missing.ok ? [] : missing.problems).toMatchObject([
      { line: 0, message: 'the file cannot be read (ENOENT)' },
    ]);
    const latin = join(folder, 'latin.yaml');
    await writeFile(latin, Buffer.from([0x61, 0x3a, 0xe9]));
    const loaded = await loadConfig(latin, {});
    expect(loaded.ok ? [] : loaded.problems).toMatchObject([
      { message: 'the file cannot be read (it is not UTF-8)' },
    ]);
  });

  test('a secret or a key set that is not there is a warning: a start needs it, a check does not', async () => {
    const file = join(folder, 'gw.yaml');
    await writeFile(join(folder, 'there.json'), '{}');
    await writeFile(
      file,
      `version: 1
issuers:
  a: { issuer: a, algorithms: [ES256], keys: { jwks_file: there.json } }
  b: { issuer: b, algorithms: [ES256], keys: { jwks_file: missing.json } }
  c: { issuer: c, algorithms: [HS256], keys: { secret_env: NO_SUCH } }
upstreams: { app: { urls: ["http://127.0.0.1:3000"] } }
routes: [{ prefix: /, upstream: app, issuer: a }]
`,
    );
    const loaded = await loadConfig(file, {});
    expect(loaded.ok && loaded.config.issuers['a']!.keys.jwksFile).toBe(join(folder, 'there.json'));
    expect(loaded.ok ? loaded.warnings.map((warning) => headline(warning).slice(file.length)) : []).toEqual([
      expect.stringMatching(/^:4:3: issuers\.b: no route takes/),
      expect.stringMatching(/^:5:3: issuers\.c: no route takes/),
      ':4:59: issuers.b.keys.jwks_file: the file cannot be read here',
      ':5:60: issuers.c.keys.secret_env: the environment variable is not set here',
    ]);
  });
});
