/** Entry of a process that signs a part of the corpus and ends. */
import { createPrivateKey, sign } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { audience, issuer, lifetimeSeconds, type MintJob, scope } from './corpus.ts';

process.once('message', ({ privateKeyPem, from, to, file }: MintJob) => {
  const key = createPrivateKey(privateKeyPem);
  const header = encode({ alg: 'RS256', typ: 'at+jwt', kid: 'bench-1' });
  const iat = Math.floor(Date.now() / 1000);
  const common = { iss: issuer, aud: audience, scope, iat, exp: iat + lifetimeSeconds };
  const lines: string[] = [];
  for (let n = from; n < to; n += 1) {
    const input = `${header}.${encode({ ...common, sub: `user-${n}`, jti: `bench-${n}` })}`;
    lines.push(`${input}.${sign('sha256', Buffer.from(input), key).toString('base64url')}\n`);
  }
  writeFileSync(file, lines.join(''));
  process.exit();
});

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
