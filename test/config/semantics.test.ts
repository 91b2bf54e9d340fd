import { describe, expect, test } from 'vitest';
import { base, problemsIn } from './example.ts';

describe('issuers', () => {
  const withIssuer = (text: string): string => `version: 1
issuers:
  main: ${text}
upstreams: { app: { urls: ["http://127.0.0.1:3000"] } }
routes: [{ prefix: /, upstream: app }]
`;
  const problemsOfIssuer = (text: string): string[] =>
    problemsIn(withIssuer(text)).map((line) => line.replace(/^gw\.yaml:3:\d+: issuers\.main/, ''));

  test.each<[string, string[]]>([
    [
      '{ algorithms: [RS256], keys: {} }',
      [
        '.keys: where do the keys come from? Give one of jwks_uri, discovery, jwks_file, secret_file, secret_env',
      ],
    ],
    [
      '{ issuer: "https://i", algorithms: [RS256], keys: { jwks_uri: "https://i/j", jwks_file: a, discovery: true } }',
      [
        '.keys.jwks_file: keys come from one source, and `jwks_uri` is given already',
        '.keys.discovery: keys come from one source, and `jwks_uri` is given already',
      ],
    ],
    [
      '{ algorithms: [RS256, HS256], keys: { jwks_file: a } }',
      ['.algorithms[1]: HS algorithms and public ones exclude each other; make two issuers'],
    ],
    [
      '{ algorithms: [HS256], keys: { jwks_file: a } }',
      ['.keys.jwks_file: HS algorithms need a shared secret: secret_file or secret_env'],
    ],
    [
      '{ algorithms: [ES256], keys: { secret_file: a } }',
      ['.keys.secret_file: a shared secret serves HS algorithms only'],
    ],
    ['{ algorithms: [ES256], keys: { discovery: true } }', ['.keys.discovery: discovery needs `issuer`']],
    [
      '{ issuer: us, algorithms: [ES256], keys: { discovery: true } }',
      ['.issuer: discovery needs an https:// URL here'],
    ],
    [
      '{ issuer: "http://i.example", algorithms: [ES256], keys: { discovery: true } }',
      [
        '.issuer: keys found by http:// can be replaced on the way; use https://, or say `keys.allow_http: true`',
      ],
    ],
    ['{ algorithms: [ES256], keys: { jwks_uri: "http://[::1]:80/j" } }', []],
    ['{ algorithms: [ES256], keys: { jwks_uri: "http://127.0.0.9/j" } }', []],
    ['{ algorithms: [ES256], keys: { jwks_uri: "http://localhost:1/j" } }', []],
    [
      '{ algorithms: [ES256], keys: { jwks_uri: "http://127.0.0.1.example/j" } }',
      [
        '.keys.jwks_uri: keys fetched by http:// can be replaced on the way; use https://, or say `allow_http: true`',
      ],
    ],
    ['{ algorithms: [ES256], keys: { jwks_uri: "http://h/j", allow_http: true } }', []],
    [
      '{ algorithms: [ES256], keys: { jwks_uri: "https://u:p@h/j" } }',
      ['.keys.jwks_uri: must be an http:// or https:// URL without credentials or fragment'],
    ],
    [
      '{ algorithms: [ES256], keys: { jwks_file: a, max_stale_seconds: 60 } }',
      [
        '.keys.max_stale_seconds: must be at least refresh_seconds (300): good keys would lapse between two refreshes',
      ],
    ],
    [
      '{ algorithms: [ES256], keys: { jwks_file: a }, token_types: { values: [a, b, a], default: c } }',
      [
        '.token_types.values[2]: "a" is there twice',
        '.token_types.default: unknown token type "c"; there are "a", "b"',
      ],
    ],
    [
      '{ algorithms: [none], keys: { jwks_file: a } }',
      [expect.stringContaining('.algorithms[0]: must be one of "RS256"') as string],
    ],
  ])('%s', (text, problems) => {
    expect(problemsOfIssuer(text)).toEqual(problems);
  });

  test('two issuers are told apart by `issuer`, and one at most has none', () => {
    const one = (issuer: string) => `{ ${issuer}algorithms: [ES256], keys: { jwks_file: a } }`;
    const both = (issuer: string) =>
      withIssuer(`${one(issuer)}\n  b: ${one(issuer)}`).replace(
        'upstream: app }',
        'upstream: app, issuer: b }',
      );
    expect(problemsIn(both('issuer: x, '))).toEqual([
      'gw.yaml:4:16: issuers.b.issuer: this is the `issuer` of "main" already',
    ]);
    expect(problemsIn(both(''))).toEqual([
      'gw.yaml:4:3: issuers.b: only one issuer can do without `issuer`, and "main" does',
    ]);
  });
});

describe('upstreams', () => {
  test.each([
    ['http://h:1/', 0],
    ['http://h:1/a', 1],
    ['http://h:1/?a', 1],
    ['ftp://h', 1],
    ['h:80', 1],
    ['http://u@h', 1],
  ])('%s', (url, problems) => {
    expect(problemsIn(`version: 1${base.replace('http://127.0.0.1:3000', url)}`)).toHaveLength(problems);
  });

  test.each([
    ['["https://h"]', '{ ca_file: c }', []],
    [
      '["http://h"]',
      '{ ca_file: c }',
      ['gw.yaml:3:28: upstreams.app.urls[0]: `tls` is given, and this URL is not https://'],
    ],
    [
      '["https://h"]',
      '{ cert_file: c }',
      ['gw.yaml:3:42: upstreams.app.tls: cert_file and key_file go together'],
    ],
    [
      '["https://h"]',
      '{ key_file: k }',
      ['gw.yaml:3:42: upstreams.app.tls: cert_file and key_file go together'],
    ],
    ['["https://h"]', '{ cert_file: c, key_file: k, server_name: a.test }', []],
  ])('TLS to %s with %s', (urls, tls, problems) => {
    expect(
      problemsIn(`version: 1${base.replace('["http://127.0.0.1:3000"]', `${urls}, tls: ${tls}`)}`),
    ).toEqual(problems);
  });

  test('one URL twice', () => {
    const text = base.replace('["http://127.0.0.1:3000"]', '["http://h", "http://h:80/"]');
    expect(problemsIn(`version: 1${text}`)).toEqual([
      'gw.yaml:3:40: upstreams.app.urls[1]: this URL is there twice',
    ]);
  });
});

test('the listener’s error profile is one that there is', () => {
  const text = `version: 1
listener: { error_profile: detial }
error_profiles: { detail: {} }
${base}`;
  expect(problemsIn(text).join('\n')).toMatch(/listener\.error_profile: unknown error profile "detial"/);
});

describe('signers', () => {
  test.each([
    ['{ algorithm: HS256 }', ': what does it sign with? Give secret_file or secret_env'],
    ['{ algorithm: EdDSA }', ': what does it sign with? Give key_file'],
    ['{ algorithm: EdDSA, secret_env: A }', '.secret_env: EdDSA signs with a private key'],
    ['{ algorithm: HS512, key_file: a }', '.key_file: HS512 signs with a shared secret'],
    [
      '{ algorithm: EdDSA, key_file: a, secret_file: b }',
      '.secret_file: the key comes from one place, and `key_file` is given already',
    ],
  ])('%s', (text, problem) => {
    const problems = problemsIn(`version: 1\nsigners: { own: ${text} }${base}`);
    expect(problems.map((line) => line.replace(/^.*?signers\.own/, ''))).toEqual([problem]);
  });
});

test.each([
  ['content-length', 'is no field that can be added to answers'],
  ['Authorization', 'is no field that can be added to answers'],
  ['x-request-id', 'this field carries the request id already'],
])('the correlation id cannot be in %s', (header, problem) => {
  const text = `version: 1\nlistener: { correlation_id: { header: ${header} } }${base}`;
  expect(problemsIn(text).join('\n')).toContain(problem);
});
describe('certificates of the listener', () => {
  const tls = (certificates: string): string =>
    `version: 1\nlistener: { tls: { certificates: ${certificates} } }${base}`;
  const pair = 'cert_file: c, key_file: k';

  test('a server name has one certificate', () => {
    expect(problemsIn(tls(`[{ ${pair}, names: [a.test] }, { ${pair}, names: [b.test, A.test] }]`))).toEqual([
      'gw.yaml:2:128: listener.tls.certificates[1].names[1]: "a.test" is the name of a certificate already',
    ]);
  });

  test.each([
    ['a.test', 0],
    ['"*.a.test"', 0],
    ['"*"', 1],
    ['a.*.test', 1],
    ['a..test', 1],
    ['"a test"', 1],
  ])('the server name %s', (name, problems) => {
    expect(problemsIn(tls(`[{ ${pair}, names: [${name}] }]`))).toHaveLength(problems);
  });

  test.each(['[]', '[{ cert_file: c }]', '[{ key_file: k }]'])('a pair is whole: %s is not', (list) => {
    expect(problemsIn(tls(list))).toHaveLength(1);
  });

  const bound = { issuer: 'certificate_bound: true, ', route: 'certificate_bound: true, ' };
  const callers = (listener: string, { issuer = '', route = '' }): string[] =>
    problemsIn(`version: 1
listener: { ${listener} }
issuers: { main: { ${issuer}algorithms: [RS256], keys: { jwks_file: a } } }
upstreams: { app: { urls: ["http://127.0.0.1:3000"] } }
routes: [{ prefix: /, upstream: app, routes: [{ ${route}path: /a }] }]
`).map((line) => line.replace(/^gw\.yaml:\d+:\d+: /, ''));
  const asks = `tls: { certificates: [{ ${pair} }], client_certificates: { ca_file: ca } }`;

  test('tokens that are bound to certificates are asked for only where callers can show one', () => {
    const why =
      'no token can pass: callers are asked for no certificate; give `listener.tls.client_certificates`, or `listener.trust_client_cert`';
    expect(callers('', bound)).toEqual([
      `issuers.main.certificate_bound: ${why}`,
      `routes[0].routes[0].certificate_bound: ${why}`,
    ]);
    expect(callers(asks, bound)).toEqual([]);
    expect(callers('trust_client_cert: true, trusted_proxies: [10.0.0.1]', bound)).toEqual([]);
  });

  test('a field with certificates is believed of somebody, or not at all', () => {
    expect(callers('trust_client_cert: true', {})).toEqual([
      'listener.trust_client_cert: whose Client-Cert is believed? Give `trusted_proxies`, or `peers` of the section `decision`',
    ]);
  });
});
