/**
 * Entry of a process that does nothing but `crypto.verify`, one token after another: `verify-loop.js JWKS TOKENS COUNT`.
 * What one core can do at most. Signing inputs and signatures are decoded before the clock runs.
 */
import { createPublicKey, type JsonWebKey, verify } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { readTokens } from '../tokens/lines.ts';

const [, , jwksFile, tokensFile, count] = process.argv;
const warmUpTokens = 2000;

const { keys } = JSON.parse(readFileSync(jwksFile!, 'utf8')) as { keys: JsonWebKey[] };
const key = createPublicKey({ key: keys[0]!, format: 'jwk' });
const tokens = readTokens(tokensFile!, 0, Number(count));
const parts = tokens.map((token) => {
  const dot = token.lastIndexOf('.');
  return {
    input: Buffer.from(token.slice(0, dot)),
    signature: Buffer.from(token.slice(dot + 1), 'base64url'),
  };
});

function verifyAll(some: typeof parts): { perSecond: number; cpuSecondsPer1000: number } {
  const startMs = performance.now();
  const before = process.cpuUsage();
  for (const { input, signature } of some) {
    if (!verify('sha256', input, key, signature)) throw new Error('a token of the corpus is not genuine');
  }
  const { user, system } = process.cpuUsage(before);
  return {
    perSecond: some.length / ((performance.now() - startMs) / 1000),
    cpuSecondsPer1000: (user + system) / 1000 / some.length,
  };
}

verifyAll(parts.slice(0, warmUpTokens));
console.log(JSON.stringify(verifyAll(parts)));
