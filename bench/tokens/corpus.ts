/**
 * Tokens in bulk, signed before a run and never during it. They are kept in the folder for temporary files, because signing
 * costs more than all that is measured with them.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Raise it when tokens change; those of other versions are not looked at. */
const corpusVersion = 2;
export const issuer = 'https://issuer.bench.example';
export const audience = 'bench';
export const scope = 'bench:use';
/** Ten years: a corpus does not expire between two runs. */
export const lifetimeSeconds = 315_360_000;

export type CorpusAlgorithm = 'RS256' | 'ES256' | 'EdDSA' | 'HS256';

export interface Corpus {
  readonly algorithm: CorpusAlgorithm;
  readonly issuer: string;
  readonly audience: string;
  readonly scope: string;
  /** The public keys; for HS256 the secret, as text. */
  readonly keysFile: string;
  /** One token a line, all different. */
  readonly tokensFile: string;
  readonly count: number;
}

export interface MintJob {
  readonly algorithm: CorpusAlgorithm;
  /** PEM; for HS256 the secret. */
  readonly key: string;
  readonly from: number;
  readonly to: number;
  readonly file: string;
}

const minter = fileURLToPath(new URL('./mint-process.js', import.meta.url));

/** At least `count` tokens: those of an earlier run, or new ones. Cost: for RS256 about 0.3 ms of CPU for each new one. */
export async function openCorpus(count: number, algorithm: CorpusAlgorithm = 'RS256'): Promise<Corpus> {
  const folder = join(tmpdir(), `sallyport-bench-tokens-${corpusVersion}-${algorithm}`);
  const known = readCount(folder);
  if (known < count) await mint(folder, count, algorithm);
  return {
    algorithm,
    issuer,
    audience,
    scope,
    keysFile: join(folder, 'keys'),
    tokensFile: join(folder, 'tokens.txt'),
    count: Math.max(known, count),
  };
}

function readCount(folder: string): number {
  const file = join(folder, 'count.json');
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as number) : 0;
}

async function mint(folder: string, count: number, algorithm: CorpusAlgorithm): Promise<void> {
  const { key, published } = makeKeys(algorithm);
  const draft = `${folder}.${process.pid}`;
  mkdirSync(draft, { mode: 0o700 });
  const minters = availableParallelism();
  const parts = await Promise.all(
    Array.from({ length: minters }, async (_, part) => {
      const file = join(draft, `part-${part}.txt`);
      const from = Math.floor((count * part) / minters);
      const to = Math.floor((count * (part + 1)) / minters);
      const child = fork(minter);
      child.send({ algorithm, key, from, to, file } satisfies MintJob);
      const [code] = (await once(child, 'exit')) as [number];
      if (code !== 0) throw new Error('tokens could not be signed');
      return file;
    }),
  );
  writeFileSync(join(draft, 'keys'), published, { mode: 0o600 });
  for (const part of parts) {
    appendFileSync(join(draft, 'tokens.txt'), readFileSync(part));
    rmSync(part);
  }
  writeFileSync(join(draft, 'count.json'), JSON.stringify(count));
  rmSync(folder, { recursive: true, force: true });
  renameSync(draft, folder);
}

function makeKeys(algorithm: CorpusAlgorithm): { key: string; published: string } {
  if (algorithm === 'HS256') {
    const secret = randomBytes(48).toString('base64url');
    return { key: secret, published: secret };
  }
  const { privateKey, publicKey } = makePair(algorithm);
  const jwk = { ...publicKey.export({ format: 'jwk' }), kid: 'bench-1', alg: algorithm, use: 'sig' };
  return {
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
    published: JSON.stringify({ keys: [jwk] }),
  };
}

function makePair(algorithm: Exclude<CorpusAlgorithm, 'HS256'>): {
  privateKey: KeyObject;
  publicKey: KeyObject;
} {
  switch (algorithm) {
    case 'RS256':
      return generateKeyPairSync('rsa', { modulusLength: 2048 });
    case 'ES256':
      return generateKeyPairSync('ec', { namedCurve: 'P-256' });
    case 'EdDSA':
      return generateKeyPairSync('ed25519');
  }
}
