/** `explain` of a token that is bound to a client certificate (RFC 8705). */
import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { makeSigner, makeToken } from '../token/tokens.ts';
import { run, type Ran } from './memory-terminal.ts';

const folder = await mkdtemp(join(tmpdir(), 'sallyport-explain-'));
afterAll(() => rm(folder, { recursive: true }));
const [config, certificate] = [join(folder, 'gw.yaml'), join(folder, 'client.crt')];
await writeFile(certificate, '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n');
await writeFile(
  config,
  `version: 1
listener: { trusted_proxies: [10.0.0.1], trust_client_cert: true }
issuers: { main: { issuer: i, algorithms: [HS256], keys: { secret_env: GW_SECRET, secret_encoding: hex } } }
routes: [{ path: /a, certificate_bound: true, respond: { status: 204 } }]
`,
);

const hs = makeSigner('HS256');
const now = 1_700_000_000;
const thumbprint = createHash('sha256').update(Buffer.alloc(3)).digest('base64url');
const token = (cnf?: object): string => makeToken(hs, { iss: 'i', exp: now + 60, cnf });
const explain = (given: string, ...more: readonly string[]): Promise<Ran> =>
  run(['explain', '-c', config, '--now', String(now), '--path', '/a', '--token', given, ...more], {
    env: { GW_SECRET: hs.key.export().toString('hex') },
  });

test('it says which certificate is wanted, and passes where that is given', async () => {
  const bound = token({ 'x5t#S256': thumbprint });
  const without = await explain(bound);
  expect(without.out).toMatch(/FAIL certificate +must have the thumbprint /);
  expect(without.out).toContain(thumbprint);
  expect(without.out).toContain('401 token_certificate');
  const shown = await explain(bound, '--client-cert', certificate);
  expect(shown.out).not.toContain('FAIL');
  expect(shown.code).toBe(0);
});

test('it says that a bearer token will not do where bound ones are asked for', async () => {
  const { out } = await explain(token(), '--client-cert', certificate);
  expect(out).toMatch(/FAIL binding +the token is bound to none, and must be bound to a client certificate/);
  expect(out).toContain('401 token_unbound');
});

test('a file without a certificate is a mistake of the command line', async () => {
  expect(await explain(token(), '--client-cert', config)).toMatchObject({
    code: 2,
    err: `${config}: no certificate in PEM form\n`,
  });
});
