/** Tokens as an attacker without the key makes them: all different, well formed, with a signature of the right length. */
import { randomBytes } from 'node:crypto';

export function forger(genuine: string): () => string {
  const [header, payload, signature] = genuine.split('.');
  const claims = JSON.parse(Buffer.from(payload!, 'base64url').toString()) as object;
  const signatureBytes = Buffer.from(signature!, 'base64url').length;
  let made = 0;
  return () => {
    made += 1;
    const forged = Buffer.from(JSON.stringify({ ...claims, jti: `forged-${process.pid}-${made}` })).toString(
      'base64url',
    );
    const noise = randomBytes(signatureBytes);
    // Below the modulus of any RSA key: such a signature costs the verifier the whole exponentiation.
    noise[0]! &= 0x7f;
    return `${header}.${forged}.${noise.toString('base64url')}`;
  };
}
