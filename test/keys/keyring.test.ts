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

describe('refreshing', () => {
  test('keys are fetched at once, then in the background with jitter', async () => {
    const bench = openKeyring(() => 0);
    bench.issuer.publish(url, keySet(a));
    await bench.keyring.configure(main());
    expect(bench.kids()).toEqual([['a']]);
    bench.issuer.publish(url, keySet(b));
    await bench.time.pass(269_000);
    expect(bench.issuer.requests).toHaveLength(1);
    await bench.time.pass(2000);
    expect(bench.issuer.requests).toHaveLength(2);
    expect(bench.kids()).toEqual([['b']]);
  });

  test('K3: every fetch is bounded in size and time', async () => {
    const bench = openKeyring();
    await bench.keyring.configure(main({ timeoutMs: 123, maxBytes: 456 }));
    expect(bench.issuer.requests[0]!.request).toMatchObject({
      timeoutMs: 123,
      bytesMax: 456,
      allowHttp: false,
    });
  });

  test('RFC 9110 section 13.1: an unchanged set is asked for conditionally and confirms the keys', async () => {
    const bench = openKeyring();
    bench.issuer.publish(url, keySet(a), { etag: '"1"', 'last-modified': 'Mon, 01 Jan 2029 00:00:00 GMT' });
    await bench.keyring.configure(main());
    const { generation } = bench.keyring;
    await bench.time.pass(300_000);
    expect(bench.issuer.requests[1]!.request.headers).toEqual({
      'if-none-match': '"1"',
      'if-modified-since': 'Mon, 01 Jan 2029 00:00:00 GMT',
    });
    expect(bench.told).toEqual(['fetched main changed', 'fetched main unchanged']);
    expect(bench.keyring.generation).toBe(generation);
    expect(bench.keyring.status()[0]!.lastGoodMs).toBe(bench.time.clock.monotonicMs());
  });

  test('a 304 to a question that was not conditional is a failure', async () => {
    const bench = openKeyring();
    bench.issuer.pages.set(url, { status: 304 });
    await bench.keyring.configure(main());
    expect(bench.keyring.keys()).toEqual([null]);
    expect(bench.told).toEqual(['fetched main failed']);
  });

  test.each<[string, { status: number; body?: string } | Error]>([
    ['an error', { status: 500 }],
    ['a refusal', { status: 404, body: keySet(b) }],
    ['a lost connection', new Error('reset')],
    ['no JSON', { status: 200, body: '<html>' }],
    ['no set', { status: 200, body: '{}' }],
    ['an empty set', { status: 200, body: '{"keys":[]}' }],
    ['a set of unusable keys', { status: 200, body: '{"keys":[{"kty":"oct","k":"AA"}]}' }],
  ])('K3: %s does not replace good keys, and is tried again soon, ever more slowly', async (_, answer) => {
    const bench = openKeyring(() => 0.999_999);
    bench.issuer.publish(url, keySet(a));
    await bench.keyring.configure(main());
    bench.issuer.pages.set(url, answer);
    await bench.time.pass(331_000);
    expect(bench.kids()).toEqual([['a']]);
    expect(bench.keyring.status()[0]).toMatchObject({ available: true, failuresInRow: 2 });
    expect(bench.keyring.status()[0]!.lastError).toEqual(expect.any(String));
    const count = bench.issuer.requests.length;
    await bench.time.pass(600_000);
    // 2 + 4 + 8 + 16 + 32 + 60 × 9 seconds.
    expect(bench.issuer.requests.length - count).toBeLessThanOrEqual(14);
    bench.issuer.publish(url, keySet(b));
    await bench.time.pass(60_000);
    expect(bench.kids()).toEqual([['b']]);
    expect(bench.keyring.status()[0]).toMatchObject({ lastError: null, failuresInRow: 0 });
  });

  test('K3: old keys serve for max_stale while refreshes fail, and are gone after that until a refresh succeeds', async () => {
    const bench = openKeyring();
    const changes: (string | null)[][][] = [];
    bench.keyring.onChange(() => changes.push(bench.kids()));
    bench.issuer.publish(url, keySet(a));
    await bench.keyring.configure(main({ maxStaleSeconds: 1000 }));
    bench.issuer.pages.set(url, { status: 500 });
    await bench.time.pass(300_000 + 999_000);
    expect(bench.keyring.keys()[0]).toHaveLength(1);
    await bench.time.pass(2000);
    expect(bench.keyring.keys()).toEqual([null]);
    expect(bench.keyring.status()[0]!.available).toBe(false);
    bench.issuer.publish(url, keySet(a));
    await bench.time.pass(60_000);
    expect(bench.kids()).toEqual([['a']]);
    expect(changes).toEqual([[[]], [['a']]]);
  });

  test('an issuer that was never up is asked every few seconds', async () => {
    const bench = openKeyring();
    await bench.keyring.configure(main());
    await bench.time.pass(120_000);
    bench.issuer.publish(url, keySet(a));
    await bench.time.pass(5000);
    expect(bench.kids()).toEqual([['a']]);
    expect(bench.issuer.requests.length).toBeLessThan(40);
  });

  test('one failure in between does not age the keys', async () => {
    const bench = openKeyring();
    bench.issuer.publish(url, keySet(a));
    await bench.keyring.configure(main({ maxStaleSeconds: 400 }));
    for (let i = 0; i < 5; i += 1) {
      bench.issuer.pages.set(url, { status: 500 });
      await bench.time.pass(300_000);
      bench.issuer.publish(url, keySet(a));
      await bench.time.pass(10_000);
    }
    expect(bench.kids()).toEqual([['a']]);
  });
});

describe('unknown kids', () => {
  test('K3: 1,000 unknown kids cause exactly one fetch in the interval', async () => {
    const bench = openKeyring();
    bench.issuer.publish(url, keySet(a));
    await bench.keyring.configure(main());
    const answers = Array.from({ length: 1000 }, () => bench.keyring.unknownKid(0));
    await Promise.all(answers.map((answer) => Promise.resolve(answer)));
    for (let i = 0; i < 9; i += 1) {
      await bench.time.pass(1000);
      expect(bench.keyring.unknownKid(0)).toBe('cooldown');
    }
    expect(bench.issuer.requests).toHaveLength(2);
    await bench.time.pass(1000);
    await bench.keyring.unknownKid(0);
    expect(bench.issuer.requests).toHaveLength(3);
  });

  test('K3: and so while the issuer answers 500: the interval is timed from the attempt', async () => {
    const bench = openKeyring();
    bench.issuer.publish(url, keySet(a));
    await bench.keyring.configure(main());
    bench.issuer.pages.set(url, { status: 500 });
    for (let i = 0; i < 1000; i += 1) {
      const fetched = bench.keyring.unknownKid(0);
      if (fetched !== 'cooldown') await fetched;
    }
    expect(bench.issuer.requests).toHaveLength(2);
    expect(bench.kids()).toEqual([['a']]);
    expect(bench.told.filter((line) => line === 'unknown main suppressed')).toHaveLength(999);
  });

  test('a rotation right after a background refresh is found, and the new keys are in place when it says so', async () => {
    const bench = openKeyring();
    bench.issuer.publish(url, keySet(a));
    await bench.keyring.configure(main());
    await bench.time.pass(300_000);
    bench.issuer.publish(url, keySet(a, b));
    let changed = false;
    bench.keyring.onChange(() => {
      changed = true;
    });
    await bench.keyring.unknownKid(0);
    expect(changed).toBe(true);
    expect(bench.kids()).toEqual([['a', 'b']]);
  });

  test('an attempt that was under way before does not count as the one that was asked for', async () => {
    const bench = openKeyring();
    bench.issuer.publish(url, keySet(a));
    await bench.keyring.configure(main());
    let release = (): void => {};
    bench.issuer.gate = new Promise((resolve) => {
      release = resolve;
    });
    await bench.time.pass(300_000);
    const fetched = bench.keyring.unknownKid(0);
    expect(bench.keyring.unknownKid(0)).toBe(fetched);
    release();
    bench.issuer.gate = null;
    await fetched;
    expect(bench.issuer.requests).toHaveLength(3);
  });

  test('failed searches do not age the keys', async () => {
    const bench = openKeyring();
    bench.issuer.publish(url, keySet(a));
    await bench.keyring.configure(main({ maxStaleSeconds: 5 }));
    bench.issuer.pages.set(url, { status: 500 });
    await bench.keyring.unknownKid(0);
    await bench.time.pass(100_000);
    expect(bench.kids()).toEqual([['a']]);
  });
});

describe('identities', () => {
  test('K4: a key keeps its id while it stays in the set, and gets another when it comes back', async () => {
    const bench = openKeyring();
    const idOf = (kid: string): number | undefined =>
      bench.keyring.keys()[0]!.find((key) => key.kid === kid)?.keyId;
    bench.issuer.publish(url, keySet(a, b));
    await bench.keyring.configure(main());
    const [first, second] = [idOf('a'), idOf('b')];
    bench.issuer.publish(url, keySet(b, c));
    await bench.time.pass(300_000);
    expect([idOf('a'), idOf('b')]).toEqual([undefined, second]);
    bench.issuer.publish(url, keySet(a, b));
    await bench.time.pass(300_000);
    expect(idOf('b')).toBe(second);
    expect(idOf('a')).not.toBe(first);
    expect(new Set([first, second, idOf('a')]).size).toBe(3);
  });

  test('the order of a set does not matter, and a change of what it says beside the keys does not either', async () => {
    const bench = openKeyring();
    bench.issuer.publish(url, keySet(a, b));
    await bench.keyring.configure(main());
    const { generation } = bench.keyring;
    bench.issuer.publish(url, ` ${keySet(b, a)}`);
    await bench.time.pass(300_000);
    expect(bench.keyring.generation).toBe(generation);
  });

  test('two issuers with one URL share a fetcher, and each takes what fits it under ids of its own', async () => {
    const bench = openKeyring();
    const rsa = makeSigner('RS256', 'r');
    bench.issuer.publish(url, keySet(a, rsa));
    await bench.keyring.configure({
      one: issuerConfig({ jwksUri: url, refreshSeconds: 100 }),
      two: issuerConfig({ jwksUri: url }, { algorithms: ['EdDSA', 'RS256'] }),
    });
    expect(bench.issuer.requests).toHaveLength(1);
    expect(bench.kids()).toEqual([['a'], ['a', 'r']]);
    const ids = bench.keyring.keys().flatMap((keys) => keys!.map(({ keyId }) => keyId));
    expect(new Set(ids).size).toBe(3);
    await Promise.all([bench.keyring.unknownKid(0), bench.keyring.unknownKid(1)]);
    expect(bench.issuer.requests).toHaveLength(2);
  });

  test('a set that one of two issuers could not use is not taken for the one before', async () => {
    const bench = openKeyring();
    const rsa = makeSigner('RS256', 'r');
    bench.issuer.publish(url, keySet(a, rsa), { etag: '"1"' });
    await bench.keyring.configure({
      one: issuerConfig({ jwksUri: url }),
      two: issuerConfig({ jwksUri: url }, { algorithms: ['RS256'] }),
    });
    bench.issuer.publish(url, keySet(b), { etag: '"2"' });
    await bench.time.pass(300_000);
    expect(bench.kids()).toEqual([['b'], ['r']]);
    bench.issuer.publish(url, keySet(a, rsa), { etag: '"1"' });
    await bench.time.pass(2000);
    expect(bench.kids()).toEqual([['a'], ['r']]);
  });

  test('what one issuer cannot use is no failure of the other one', async () => {
    const bench = openKeyring();
    bench.issuer.publish(url, keySet(a));
    await bench.keyring.configure({
      one: issuerConfig({ jwksUri: url, maxStaleSeconds: 60 }),
      two: issuerConfig({ jwksUri: url }, { algorithms: ['RS256'] }),
    });
    await bench.time.pass(1_000_000);
    expect(bench.kids()).toEqual([['a'], []]);
    expect(bench.keyring.status().map(({ lastError }) => lastError)).toEqual([
      null,
      expect.stringContaining('no usable key'),
    ]);
  });
});
