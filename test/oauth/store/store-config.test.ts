/** What the configuration may say of the store. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadConfig, parseConfig } from '../../../gateway/config/load.ts';
import { oldKey, withFolder } from './stores.ts';

const configuration = (store: string): string => `
version: 1
upstreams:
  orders: { urls: [http://127.0.0.1:3000] }
routes:
  - { path: /orders, public: true, upstream: orders }
oauth:
  store: ${store}
  providers:
    codex: { flow: device, issuer: https://issuer.example, client_id: cli }
`;

describe('the store', () => {
  test.each([
    ['no key ring', '{ file: ./c }', 'where does the key ring come from'],
    ['two key rings', '{ file: ./c, key_file: ./k, key_env: K }', 'the key ring comes from one place'],
    [
      'an auth.json of nobody',
      '{ file: ./c, key_env: K, auth_json: { file: ./auth.json, providers: { codex: { name: x } } } }',
      'whose is it?',
    ],
    [
      'an auth.json of somebody and of everybody',
      '{ file: ./c, key_env: K, auth_json: { file: "./{account}.json", account: a, providers: { codex: { name: x } } } }',
      'whose is it?',
    ],
    [
      'an auth.json for a provider that is not there',
      '{ file: ./c, key_env: K, auth_json: { file: "./{account}.json", providers: { other: { name: x } } } }',
      'there is no such provider',
    ],
  ])('with %s is refused', (_, store, why) => {
    const loaded = parseConfig(configuration(store), '/etc/sallyport/sallyport.yaml', {});
    expect(loaded.ok ? [] : loaded.problems.map(({ message }) => message)).toEqual([
      expect.stringContaining(why),
    ]);
  });

  test('has its files beside the configuration', () => {
    const store =
      '{ file: ./c, key_file: ./k, auth_json: { file: "./{account}/auth.json", providers: { codex: { name: x } } } }';
    const loaded = parseConfig(configuration(store), '/etc/sallyport/sallyport.yaml', {});
    expect(loaded.ok && loaded.config.oauth!.store).toMatchObject({
      file: '/etc/sallyport/c',
      keyFile: '/etc/sallyport/k',
      authJson: { file: '/etc/sallyport/{account}/auth.json' },
    });
  });

  test.each([
    ['key_file: ./store.key', 'oauth.store.key_file', 'the file cannot be read here'],
    ['key_env: KEYS', 'oauth.store.key_env', 'the environment variable is not set here'],
  ])('with a ring that is not there (%s) is good, with a warning', (ring, path, message) =>
    withFolder(async (folder) => {
      const file = join(folder, 'sallyport.yaml');
      await writeFile(file, configuration(`{ file: ./c, ${ring} }`));
      const warned = async (env: Readonly<Record<string, string>>): Promise<readonly object[]> => {
        const loaded = await loadConfig(file, env);
        return loaded.ok ? loaded.warnings : loaded.problems;
      };
      expect(await warned({})).toEqual([expect.objectContaining({ path, message })]);
      await writeFile(join(folder, 'store.key'), oldKey);
      expect(await warned({ KEYS: oldKey })).toEqual([]);
    }),
  );
});
