import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startGateway, testPreamble, type TestGateway } from '../support/gateway.ts';
import { until } from '../support/until.ts';
import { makeSigner } from '../token/tokens.ts';

const pem = (): string => makeSigner('EdDSA').privateKey!.export({ type: 'pkcs8', format: 'pem' }) as string;
const configWith = (signers: string): string => `${testPreamble}
signers: { own: { algorithm: EdDSA, key_file: own.pem }${signers} }
routes:
  - { path: /keys, public: true, jwks: true }
`;

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startGateway(configWith(''), { files: { 'own.pem': pem() } });
});
afterAll(() => gateway.stop());

async function kids(): Promise<readonly unknown[]> {
  const response = await fetch(`${gateway.url}/keys`);
  const { keys } = (await response.json()) as { keys: readonly { readonly kid: unknown }[] };
  return keys.map(({ kid }) => kid);
}

const beside = (name: string): string => join(dirname(gateway.configFile), name);

test('a signer without a key does not start', async () => {
  await expect(startGateway(configWith(''))).rejects.toThrow(
    /signers\.own: the file cannot be read \(ENOENT\)/,
  );
});

test('a replaced key is published on every listener, and a broken file changes nothing', async () => {
  const [first] = await kids();
  writeFileSync(beside('own.pem'), 'rubbish');
  await until('it is complained of', () =>
    gateway.logs.find(({ msg }) => msg.startsWith('a signing key cannot be used')),
  );
  expect(await kids()).toEqual([first]);
  writeFileSync(beside('own.pem'), pem());
  await until('the new key is published', async () => (await kids())[0] !== first);
  expect(await kids()).toHaveLength(1);
});

test('a reload that brings a signer without a key is rejected, and one with a key is applied', async () => {
  const before = await kids();
  gateway.writeConfig(configWith(', next: { algorithm: EdDSA, key_file: next.pem }'));
  const rejected = await gateway.reload();
  expect(rejected.outcome).toBe('rejected');
  expect(rejected.errors.join()).toMatch(/signers\.next: the file cannot be read/);
  expect(await kids()).toEqual(before);
  writeFileSync(beside('next.pem'), pem());
  expect((await gateway.reload()).outcome).toBe('applied');
  expect(await kids()).toHaveLength(2);
});
