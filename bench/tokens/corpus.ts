/**
 * RS256 tokens in bulk, signed before a run and never during it. They are kept in the folder for temporary files, because
 * signing costs more than all that is measured with them.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { generateKeyPairSync } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Raise it when tokens change; those of other versions are not looked at. */
const corpusVersion = 1;
export const issuer = 'https://issuer.bench.example';
export const audience = 'bench';
export const scope = 'bench:use';
/** Ten years: a corpus does not expire between two runs. */
export const lifetimeSeconds = 315_360_000;

export interface Corpus {
  readonly issuer: string;
  readonly audience: string;
  readonly scope: string;
  readonly jwksFile: string;
  /** One token a line, all different. */
  readonly tokensFile: string;
  readonly count: number;
}

export interface MintJob {
  readonly privateKeyPem: string;
  readonly from: number;
  readonly to: number;
  readonly file: string;
}

const minter = fileURLToPath(new URL('./mint-process.js', import.meta.url));

/** At least `count` tokens: those of an earlier run, or new ones. Cost: about 0.7 ms of CPU for each new one. */
export async function openCorpus(count: number): Promise<Corpus> {
  const folder = join(tmpdir(), `sallyport-bench-tokens-${corpusVersion}`);
  const known = readCount(folder);
  if (known < count) await mint(folder, count);
  return {
    issuer,
    audience,
    scope,
    jwksFile: join(folder, 'jwks.json'),
    tokensFile: join(folder, 'tokens.txt'),
    count: Math.max(known, count),
  };
}

function readCount(folder: string): number {
  const file = join(folder, 'count.json');
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as number) : 0;
}

async function mint(folder: string, count: number): Promise<void> {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const privateKeyPem = privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
  const draft = `${folder}.${process.pid}`;
  mkdirSync(draft, { mode: 0o700 });
  const minters = availableParallelism();
  const parts = await Promise.all(
    Array.from({ length: minters }, async (_, part) => {
      const file = join(draft, `part-${part}.txt`);
      const from = Math.floor((count * part) / minters);
      const to = Math.floor((count * (part + 1)) / minters);
      const child = fork(minter);
      child.send({ privateKeyPem, from, to, file } satisfies MintJob);
      const [code] = (await once(child, 'exit')) as [number];
      if (code !== 0) throw new Error('tokens could not be signed');
      return readFileSync(file, 'utf8');
    }),
  );
  const jwk = { ...publicKey.export({ format: 'jwk' }), kid: 'bench-1', alg: 'RS256', use: 'sig' };
  writeFileSync(join(draft, 'jwks.json'), JSON.stringify({ keys: [jwk] }));
  writeFileSync(join(draft, 'tokens.txt'), parts.join(''));
  writeFileSync(join(draft, 'count.json'), JSON.stringify(count));
  rmSync(folder, { recursive: true, force: true });
  renameSync(draft, folder);
}
