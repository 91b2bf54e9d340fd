/** Entry of a process that signs a part of the corpus and ends. */
import { createHmac, createPrivateKey, type KeyObject, sign } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { audience, type CorpusAlgorithm, issuer, lifetimeSeconds, type MintJob, scope } from './corpus.ts';

process.once('message', ({ algorithm, key, from, to, file }: MintJob) => {
  const signed = signer(algorithm, key);
  const header = encode({ alg: algorithm, typ: 'at+jwt', kid: 'bench-1' });
  const iat = Math.floor(Date.now() / 1000);
  // Tokens that are cheap to sign serve where a million are needed, and must be as long as others.
  const padding = algorithm === 'HS256' ? { note: 'x'.repeat(220) } : {};
  const common = { iss: issuer, aud: audience, scope, iat, exp: iat + lifetimeSeconds, ...padding };
  const lines: string[] = [];
  for (let n = from; n < to; n += 1) {
    const input = `${header}.${encode({ ...common, sub: `user-${n}`, jti: `bench-${n}` })}`;
    lines.push(`${input}.${signed(Buffer.from(input)).toString('base64url')}\n`);
  }
  writeFileSync(file, lines.join(''), 'latin1');
  process.exit();
});

function signer(algorithm: CorpusAlgorithm, key: string): (input: Buffer) => Buffer {
  if (algorithm === 'HS256') return (input) => createHmac('sha256', key).update(input).digest();
  const privateKey: KeyObject = createPrivateKey(key);
  switch (algorithm) {
    case 'RS256':
      return (input) => sign('sha256', input, privateKey);
    case 'ES256':
      return (input) => sign('sha256', input, { key: privateKey, dsaEncoding: 'ieee-p1363' });
    case 'EdDSA':
      return (input) => sign(null, input, privateKey);
  }
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
