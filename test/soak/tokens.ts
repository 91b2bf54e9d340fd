/** The soak's own issuer: a key set on disk, tokens that are good, and tokens that are bad in every way that has a verdict. */
import { type CryptoKey, exportJWK, generateKeyPair, SignJWT } from 'jose';

export const issuer = 'https://soak.example';
export const audience = 'soak';

interface Claims {
  readonly scope?: string;
  readonly audience?: string;
  /** Seconds from now. */
  readonly expiresIn?: number;
}

export class SoakIssuer {
  readonly jwks: string;
  readonly #key: CryptoKey;
  readonly #foreignKey: CryptoKey;
  #made = 0;

  static async create(): Promise<SoakIssuer> {
    const own = await generateKeyPair('ES256', { extractable: true });
    const foreign = await generateKeyPair('ES256');
    const jwk = { ...(await exportJWK(own.publicKey)), kid: 'soak-1', alg: 'ES256', use: 'sig' };
    return new SoakIssuer(JSON.stringify({ keys: [jwk] }), own.privateKey, foreign.privateKey);
  }

  private constructor(jwks: string, key: CryptoKey, foreignKey: CryptoKey) {
    this.jwks = jwks;
    this.#key = key;
    this.#foreignKey = foreignKey;
  }

  /** A token never seen before. */
  good(): Promise<string> {
    return this.#sign({}, 'soak-1', this.#key);
  }

  /** Never-seen bad tokens, by the outcome that they must have. */
  readonly bad: Readonly<Record<string, () => Promise<string>>> = {
    '401 token_signature': () => this.#sign({}, 'soak-1', this.#foreignKey),
    '401 token_key_unknown': () => this.#sign({}, 'soak-2', this.#key),
    '401 token_expired': () => this.#sign({ expiresIn: -3600 }, 'soak-1', this.#key),
    '401 token_audience': () => this.#sign({ audience: 'another' }, 'soak-1', this.#key),
    '401 token_malformed': () => Promise.resolve('not.a.token'),
    '403 scope_insufficient': () => this.#sign({ scope: 'soak:nothing' }, 'soak-1', this.#key),
  };

  #sign(claims: Claims, kid: string, key: CryptoKey): Promise<string> {
    this.#made += 1;
    const now = Math.floor(Date.now() / 1000);
    return new SignJWT({ scope: claims.scope ?? 'soak:use', jti: String(this.#made) })
      .setProtectedHeader({ alg: 'ES256', kid })
      .setIssuer(issuer)
      .setAudience(claims.audience ?? audience)
      .setSubject('soak')
      .setIssuedAt(now - 7200)
      .setExpirationTime(now + (claims.expiresIn ?? 3600))
      .sign(key);
  }
}
