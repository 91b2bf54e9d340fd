/** Group K: which keys are accepted, and what their source may do to the gateway. */
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { answer, Backend } from '../support/backend.ts';
import { startGateway } from '../support/gateway.ts';
import { until } from '../support/until.ts';
import { makeSigner, type Signer } from '../token/tokens.ts';
import { Arena, arenaConfig, bytesOf, jwkOf, keySet, mint, signers } from './arena.ts';

type Jwk = Record<string, unknown>;
const weak = generateKeyPairSync('rsa', { modulusLength: 1024 });
const setOf = (...keys: Jwk[]): string => JSON.stringify({ keys });
const present = (arena: Arena, token: string): Promise<string> => arena.send(bytesOf('/decide', { token }));

async function withKeys(keys: string, act: (arena: Arena) => Promise<void>): Promise<void> {
  const arena = await Arena.start({ files: { 'keys.json': keys } });
  try {
    await act(arena);
  } finally {
    await arena.stop();
  }
}

/** A gateway that fetches its keys from `source`. */
async function fetching(source: Backend, keys: string, act: (arena: Arena) => Promise<void>): Promise<void> {
  const config = (url: string): string =>
    arenaConfig(url).replace('{ jwks_file: keys.json }', `{ jwks_uri: '${source.url}/jwks', ${keys} }`);
  const arena = await Arena.start({ config });
  try {
    await act(arena);
  } finally {
    await arena.stop();
    await source.close();
  }
}

describe('K1: keys that are not fit are left out, and the rest serves', () => {
  it('of every sort at once', async () => {
    const good = jwkOf(signers.ed);
    const other = (more: Jwk, signer: Signer = signers.es): Jwk => ({ ...jwkOf(signer), ...more });
    const oct = { kty: 'oct', kid: 'oct', k: randomBytes(32).toString('base64url'), alg: 'HS256' };
    const bad: Jwk[] = [
      oct, other({ kid: 'enc', use: 'enc' }), other({ kid: 'ops', use: undefined, key_ops: ['sign'] }),
      { ...weak.publicKey.export({ format: 'jwk' }), kid: 'weak', alg: 'RS256' },
      other({ kid: 'e1', e: 'AQ' }, signers.rs), other({ kid: 'curve', alg: 'ES512' }), other({ kid: 'kty', kty: 'XX' }),
      other({ kid: 'off', x: 'AAAA' }), other({ kid: 'alg', alg: 'none' }), { kid: 'nothing' }, { kty: 7 },
      other({ kid: 'hs', alg: 'HS256' }, signers.rs), null as unknown as Jwk, [] as unknown as Jwk, 'x' as unknown as Jwk,
    ]; // prettier-ignore
    await withKeys(setOf(...bad, good), async (arena) => {
      arena.token = mint();
      expect(await present(arena, mint())).toBe('204');
      for (const kid of ['enc', 'ops', 'curve', 'kty', 'off', 'alg'])
        expect(await present(arena, mint({}, { kid }, signers.es))).toMatch(
          /^401 token_(?:key_unknown|algorithm)$/,
        );
      const small: Signer = { ...makeSigner('RS256', 'weak'), privateKey: weak.privateKey };
      for (const signer of [small, { ...signers.rs, kid: 'e1' }, { ...signers.rs, kid: 'hs' }])
        expect(await present(arena, mint({}, {}, signer))).toMatch(/^401 token_(?:key_unknown|algorithm)$/);
      expect(await arena.sallyport.metric('sallyport_jwks_keys')).toBe(1);
    });
  });

  it('a set with none that is fit, or that is no set, is 503 and not 401', async () => {
    const sets = [setOf({ kty: 'oct', k: 'AAAA' }), setOf(), '{}', 'keys', '[]', ''];
    const name = (index: number): string => `https://issuer-${index}.example`;
    const issuers = sets.map(
      (_, i) => `  i${i}: { issuer: '${name(i)}', algorithms: [EdDSA], keys: { jwks_file: ${i}.json } }\n`,
    );
    const routes = sets.map((_, i) => `  - { path: /by/${i}, issuer: i${i}, respond: { status: 204 } }\n`);
    const arena = await Arena.start({
      files: Object.fromEntries(sets.map((keys, i) => [`${i}.json`, keys])),
      config: (url) =>
        arenaConfig(url).replace('upstreams:\n', `${issuers.join('')}upstreams:\n`) + routes.join(''),
    });
    for (const i of sets.keys()) {
      const bytes = bytesOf(`/by/${i}`, { token: mint({ iss: name(i) }) });
      expect(await arena.send(bytes)).toBe('503 keys_unavailable');
    }
    await arena.stop(['warn', 'error']);
  });
});

describe('K2: two keys with one kid', () => {
  it('of two algorithms never cross, of one algorithm are ambiguous', async () => {
    const named = (signer: Signer, kid: string): Jwk => ({ ...jwkOf(signer), kid });
    const second = makeSigner('EdDSA', 'same');
    await withKeys(
      setOf(named(signers.es, 'one'), named(signers.rs, 'one'), named(signers.ed, 'same'), jwkOf(second)),
      async (arena) => {
        arena.token = mint({}, { kid: 'one' }, signers.es);
        expect(await present(arena, mint({}, { kid: 'one' }, signers.es))).toBe('204');
        expect(await present(arena, mint({}, { kid: 'one' }, signers.rs))).toBe('204');
        expect(await present(arena, mint({}, { kid: 'one', alg: 'RS256' }, signers.es))).toBe(
          '401 token_signature',
        );
        expect(await present(arena, mint({}, { kid: 'same' }))).toMatch(/^401 token_key_unknown$/);
        expect(await present(arena, mint({}, {}, second))).toMatch(/^401 token_key_unknown$/);
      },
    );
  });
});

describe('K3: the source of keys', () => {
  it('is asked once for 500 unknown kids, also while it fails', async () => {
    const source = await Backend.replying(answer(keySet));
    await fetching(source, 'refresh_seconds: 3600, unknown_kid_interval_seconds: 3600', async (arena) => {
      const before = source.requests.length;
      source.behaviour = {
        onRequest: (_, socket) => socket.write('HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n'),
      };
      for (let i = 0; i < 5; i += 1) {
        await arena.attack(async (client) => {
          for (let n = 0; n < 100; n += 1) {
            client.send(bytesOf('/decide', { token: mint({}, { kid: `u${i}-${n}` }) }));
            expect((await client.read()).status).toBe(401);
          }
        });
      }
      expect(source.requests.length).toBe(before + 1);
      expect(await present(arena, mint())).toBe('204');
    });
  });

  it('may answer whatever it likes: the keys at hand go on serving', async () => {
    const answers = [
      ['larger than the limit', answer(keySet.replace('{', `{"x":"${'x'.repeat(300_000)}",`))],
      [
        'without end',
        'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n' +
          `ffff\r\n${'x'.repeat(65_535)}\r\n`.repeat(8),
      ],
      ['a redirect', 'HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n'],
      ['cut short', `HTTP/1.1 200 OK\r\nContent-Length: ${keySet.length + 1}\r\n\r\n${keySet}`],
      ['never finished', 'HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n{'],
      ['an error with a set in it', answer(keySet).replace('200 OK', '503 No')],
      ['an empty set', answer('{"keys":[]}')],
      ['another document', answer('<html></html>')],
      ['malformed HTTP', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}'],
    ] as const;
    const sources = await Promise.all(answers.map(() => Backend.replying(answer(keySet))));
    const name = (index: number): string => `https://issuer-${index}.example`;
    const settings = 'refresh_seconds: 1, timeout_ms: 300, max_bytes: 20000';
    const issuers = sources.map(
      ({ url }, i) =>
        `  i${i}: { issuer: '${name(i)}', algorithms: [EdDSA], keys: { jwks_uri: '${url}', ${settings} } }\n`,
    );
    const routes = sources.map((_, i) => `  - { path: /by/${i}, issuer: i${i}, respond: { status: 204 } }\n`);
    const arena = await Arena.start({
      config: (url) =>
        arenaConfig(url).replace('upstreams:\n', `${issuers.join('')}upstreams:\n`) + routes.join(''),
    });
    for (const [i, [, bytes]] of answers.entries()) {
      sources[i]!.behaviour = {
        onRequest: (_request, socket) => {
          socket.write(bytes, 'latin1');
          if (bytes.endsWith(keySet)) socket.end();
        },
      };
    }
    for (const i of answers.keys()) {
      const failed = (): Promise<number> =>
        arena.sallyport.metric('sallyport_jwks_fetches_total', `issuer="i${i}"`, 'outcome="failed"');
      await until('a refresh failed', async () => (await failed()) > 0);
      expect(await arena.send(bytesOf(`/by/${i}`, { token: mint({ iss: name(i) }) }))).toBe('204');
      expect(await arena.sallyport.metric('sallyport_jwks_keys', `issuer="i${i}"`)).toBe(1);
    }
    await arena.stop();
    await Promise.all(sources.map((source) => source.close()));
  });

  it('that was never there is 503, and 200 as soon as it is', async () => {
    const source = await Backend.replying('HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n');
    const config = arenaConfig('http://127.0.0.1:1').replace(
      '{ jwks_file: keys.json }',
      `{ jwks_uri: '${source.url}/jwks', refresh_seconds: 1, unknown_kid_interval_seconds: 1 }`,
    );
    const gateway = await startGateway(config);
    const status = async (): Promise<number> =>
      (await fetch(`${gateway.url}/decide`, { headers: { authorization: `Bearer ${mint()}` } })).status;
    expect(await status()).toBe(503);
    source.behaviour = { onRequest: (_, socket) => socket.write(answer(keySet)) };
    await until('the keys are there', async () => (await status()) === 204);
    await gateway.stop();
    await source.close();
  });

  it('must be https or of this machine', async () => {
    const config = arenaConfig('http://127.0.0.1:1').replace(
      '{ jwks_file: keys.json }',
      `{ jwks_uri: 'http://issuer.example/jwks' }`,
    );
    await expect(startGateway(config)).rejects.toThrow(/https|allow_http/);
  });
});

describe('K4: a key that was rotated out', () => {
  it('stops working at once in a watched file, cached verdicts included', async () => {
    await withKeys(keySet, async (arena) => {
      const token = mint();
      expect(await present(arena, token)).toBe('204');
      const file = join(dirname(arena.sallyport.configFile), 'keys.json');
      writeFileSync(`${file}.new`, setOf(jwkOf(signers.rs), jwkOf(signers.es)));
      arena.token = mint({}, {}, signers.rs);
      renameSync(`${file}.new`, file);
      await until('the key is gone', async () => (await arena.sallyport.metric('sallyport_jwks_keys')) === 2);
      expect(await present(arena, token)).toMatch(/^401 token_(?:withdrawn|key_unknown)$/);
      expect(await present(arena, mint())).toMatch(/^401 token_key_unknown$/);
      expect(await present(arena, mint({}, {}, signers.es))).toBe('204');
    });
  });
});
