/** Opens the credential store of a configuration. */
import { sep } from 'node:path';
import type { Clock } from '../../core/clock.ts';
import type { OauthConfig } from '../../config/schema.ts';
import { type CredentialStore, StoreFault } from '../credential.ts';
import { AuthJsonStore } from './auth-json-writer.ts';
import { DirectoryStore } from './directory-store.ts';
import { type Files, systemFiles } from './files.ts';
import { readKeyFile } from './key-file.ts';
import { type KeyRing, parseKeyRing } from './key-ring.ts';
import type { ReadKeyRing } from './records.ts';

export type StoreConfig = OauthConfig['store'];

type Environment = Readonly<Record<string, string | undefined>>;

export interface OpenStoreParts {
  readonly env: Environment;
  readonly clock: Clock;
  /** Told in a sentence what an operator should know. Names no secret. */
  readonly warn: (message: string) => void;
}

/** Threads: each one opens its own. Errors: `StoreFault`, unavailable or unreadable. */
export async function openCredentialStore(
  config: StoreConfig,
  { env, clock, warn }: OpenStoreParts,
): Promise<CredentialStore> {
  const { file: directory, authJson } = config;
  const readKeyRing = keyRingReader(config, env, systemFiles);
  const store = await DirectoryStore.open({ directory, readKeyRing, files: systemFiles, clock, warn });
  if (authJson === undefined) return store;
  const pools = Object.entries(authJson.providers).map(([provider, { name, baseUrl }]) => ({
    provider,
    name,
    baseUrl: baseUrl ?? null,
  }));
  const { file, account = null } = authJson;
  return new AuthJsonStore(store, { file, account, pools, files: systemFiles, clock, warn });
}

/** Reads the ring where the configuration says, each time anew. */
export function keyRingReader(
  { file: directory, keyFile, keyEnv }: StoreConfig,
  env: Environment,
  files: Files,
): ReadKeyRing {
  return async () => {
    if (keyFile === undefined) return keyRingOfVariable(keyEnv ?? '', env);
    if (keyFile.startsWith(directory + sep)) {
      throw new StoreFault('unavailable', `the key ring ${keyFile} must not lie in the store it opens`);
    }
    return parseKeyRing(await readKeyFile(keyFile, files, 'follow'));
  };
}

function keyRingOfVariable(name: string, env: Environment): KeyRing {
  const text = env[name];
  if (!text) throw new StoreFault('unavailable', `the key ring: the environment variable ${name} is not set`);
  return parseKeyRing(text);
}
