import { describe, expect, test } from 'vitest';
import { makeSigner } from '../token/tokens.ts';
import { openKeyring } from './hand-issuer.ts';
import { issuerConfig, keySet } from './issuer-configs.ts';

const url = 'https://issuer.example/jwks';
const [a, b, c] = ['a', 'b', 'c'].map((kid) => makeSigner('EdDSA', kid)) as [
  ReturnType<typeof makeSigner>,
  ReturnType<typeof makeSigner>,
  ReturnType<typeof makeSigner>,
];
const main = (keys: Parameters<typeof issuerConfig>[0] = {}) => ({
  main: issuerConfig({ jwksUri: url, ...keys }),
});

describe('discovery', () => {
  const issuer = 'https://issuer.example/tenant/';
  const document = 'https://issuer.example/tenant/.well-known/openid-configuration';
  const discovered = (keys = {}) => ({ main: issuerConfig({ discovery: true, ...keys }, { issuer }) });

  test('the key set is found through the issuer’s document, which is fetched once', async () => {
    const bench = openKeyring();
    bench.issuer.publish(document, JSON.stringify({ issuer, jwks_uri: url }));
    bench.issuer.publish(url, keySet(a));
    await bench.keyring.configure(discovered());
    await bench.time.pass(300_000);
    await bench.keyring.unknownKid(0);
    expect(bench.issuer.requests.map(({ url: u }) => u)).toEqual([document, url, url, url]);
    expect(bench.kids()).toEqual([['a']]);
  });

  test.each<[string, string]>([
    ['another issuer', JSON.stringify({ issuer: 'https://issuer.example/tenant', jwks_uri: url })],
    ['no issuer', JSON.stringify({ jwks_uri: url })],
    ['no jwks_uri', JSON.stringify({ issuer })],
    ['a jwks_uri that is no text', JSON.stringify({ issuer, jwks_uri: [url] })],
    ['no JSON', '<html>'],
    ['an array', '[]'],
  ])('OpenID Connect Discovery section 4.3: a document with %s leads nowhere', async (_, body) => {
    const bench = openKeyring();
    bench.issuer.publish(document, body);
    bench.issuer.publish(url, keySet(a));
    await bench.keyring.configure(discovered());
    expect(bench.issuer.requests.map(({ url: u }) => u)).toEqual([document]);
    expect(bench.keyring.keys()).toEqual([null]);
  });

  test('after a failure the document is asked again, and a place that moved is followed', async () => {
    const bench = openKeyring();
    bench.issuer.publish(document, JSON.stringify({ issuer, jwks_uri: url }));
    bench.issuer.publish(url, keySet(a), { etag: '"1"' });
    await bench.keyring.configure(discovered());
    bench.issuer.pages.set(url, { status: 404 });
    bench.issuer.publish(document, JSON.stringify({ issuer, jwks_uri: `${url}/2` }));
    // What the former place called its document means nothing here.
    bench.issuer.publish(`${url}/2`, keySet(b), { etag: '"1"' });
    await bench.time.pass(305_000);
    expect(bench.kids()).toEqual([['b']]);
  });

  test('while discovery itself fails the place that is known is used', async () => {
    const bench = openKeyring();
    bench.issuer.publish(document, JSON.stringify({ issuer, jwks_uri: url }));
    bench.issuer.publish(url, keySet(a));
    await bench.keyring.configure(discovered());
    bench.issuer.pages.set(document, { status: 500 });
    await bench.time.pass(3_700_000);
    bench.issuer.publish(url, keySet(b));
    await bench.time.pass(400_000);
    expect(bench.issuer.requests.filter(({ url: asked }) => asked === document).length).toBeGreaterThan(1);
    expect(bench.kids()).toEqual([['b']]);
  });
});

describe('another configuration', () => {
  test('an issuer that stays the same keeps its keys and its fetcher', async () => {
    const bench = openKeyring();
    bench.issuer.publish(url, keySet(a));
    await bench.keyring.configure(main());
    const before = bench.keyring.keys()[0];
    await bench.keyring.configure({ ...main(), other: issuerConfig({ jwksUri: `${url}/other` }) });
    expect(bench.keyring.keys()[0]).toEqual(before);
    expect(bench.issuer.requests.filter(({ url: u }) => u === url)).toHaveLength(1);
  });

  test('an issuer whose settings change keeps its keys while its URL is down', async () => {
    const bench = openKeyring();
    bench.issuer.publish(url, keySet(a));
    await bench.keyring.configure(main());
    const [before] = bench.keyring.keys()[0]!;
    bench.issuer.pages.set(url, { status: 500 });
    await bench.keyring.configure(main({ refreshSeconds: 60 }));
    expect(bench.keyring.keys()[0]).toEqual([before]);
  });

  test('an issuer that moves to another URL has the keys of that, and nothing of the former', async () => {
    const bench = openKeyring();
    bench.issuer.publish(url, keySet(a));
    bench.issuer.publish(`${url}/2`, keySet(b));
    await bench.keyring.configure(main());
    await bench.keyring.configure(main({ jwksUri: `${url}/2` }));
    expect(bench.kids()).toEqual([['b']]);
    const count = bench.issuer.requests.length;
    await bench.time.pass(310_000);
    expect(bench.issuer.requests.slice(count).map(({ url: u }) => u)).toEqual([`${url}/2`]);
  });

  test('a source that does not answer holds the change up for a bounded time', async () => {
    const bench = openKeyring();
    bench.issuer.gate = new Promise(() => {});
    const configured = bench.keyring.configure(main());
    let isOver = false;
    void configured.then(() => {
      isOver = true;
    });
    await bench.time.pass(9000);
    expect(isOver).toBe(false);
    await bench.time.pass(2000);
    expect(isOver).toBe(true);
    expect(bench.keyring.keys()).toEqual([null]);
  });

  test('the end stops every timer', async () => {
    const bench = openKeyring();
    bench.files.set('/etc/keys/jwks.json', keySet(b));
    bench.issuer.publish(url, keySet(a));
    await bench.keyring.configure({ ...main(), file: issuerConfig({ jwksFile: '/etc/keys/jwks.json' }) });
    bench.keyring.close();
    expect(bench.time.alarms).toBe(0);
  });
});

describe('files and secrets', () => {
  const path = '/etc/keys/jwks.json';

  test('a changed file is read after its folder tells, a bad one keeps the good keys', async () => {
    const bench = openKeyring();
    bench.files.set(path, keySet(a));
    await bench.keyring.configure({ main: issuerConfig({ jwksFile: path }) });
    expect(bench.kids()).toEqual([['a']]);
    for (const [text, kid] of [
      [keySet(b), 'b'],
      ['{"keys":', 'b'],
      ['', 'b'],
      [keySet(c), 'c'],
    ] as const) {
      bench.files.set(path, text);
      bench.touch('/etc/keys');
      bench.touch('/etc/keys');
      await bench.time.pass(200);
      expect(bench.kids()).toEqual([[kid]]);
    }
    bench.files.delete(path);
    bench.touch('/etc/keys');
    await bench.time.pass(10_000_000);
    expect(bench.kids()).toEqual([['c']]);
    expect(bench.keyring.status()[0]!.lastError).toBe('no such file');
  });

  test('a change that no folder told of is found by the poll', async () => {
    const bench = openKeyring();
    await bench.keyring.configure({ main: issuerConfig({ jwksFile: path }) });
    expect(bench.keyring.keys()).toEqual([null]);
    bench.files.set(path, keySet(a));
    await bench.time.pass(30_000);
    expect(bench.kids()).toEqual([['a']]);
  });

  test('secrets come from a file or the environment, never into an error', async () => {
    const bench = openKeyring();
    bench.files.set('/run/secret', `${'s'.repeat(64)}\n`);
    bench.environment.set('SECRET', 'hunter2');
    await bench.keyring.configure({
      file: issuerConfig({ secretFile: '/run/secret' }, { algorithms: ['HS512'] }),
      short: issuerConfig({ secretEnv: 'SECRET' }, { algorithms: ['HS256'] }),
      unset: issuerConfig({ secretEnv: 'NOTHING' }, { algorithms: ['HS256'] }),
    });
    expect(bench.keyring.keys().map((keys) => keys?.[0]?.algorithms ?? null)).toEqual([
      ['HS512'],
      null,
      null,
    ]);
    const errors = bench.keyring.status().map(({ lastError }) => lastError);
    expect(errors).toEqual([
      null,
      'the secret has 7 bytes, and HS256 asks for at least 32',
      'the environment variable is not set',
    ]);
    expect(bench.keyring.unknownKid(0)).toBe('cooldown');
  });
});
