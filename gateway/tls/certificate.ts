/**
 * Certificates of the listener as the rest of the program knows them: read as PEM, judged, and then plain data that crosses
 * to the listener threads.
 *
 * Judged is what the driver would refuse or, worse, take without a word: a key of another certificate, an encrypted key, a
 * kind of key that its TLS library does not serve. Source: RFC 5280, RFC 7468.
 */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';

export interface Certificate {
  /** Its configured name or position: the label in metrics and readiness. */
  readonly label: string;
  /** The certificate and those that lead to its root, PEM. */
  readonly chain: string;
  /** Its private key, PEM. */
  readonly key: string;
  /** The server names it is for, lower case; `*` may stand for a first label. */
  readonly names: readonly string[];
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

/** Everything a listener needs to speak TLS. */
export interface TlsMaterial {
  /** The first one is for callers who name no server, or one that none is for. */
  readonly certificates: readonly Certificate[];
  readonly minVersion: '1.2' | '1.3';
  /** PEM of those who may sign what callers show; null: callers are not asked for certificates. */
  readonly clientAuthorities: string | null;
}

/** A certificate or key cannot be used. The message is for operators. */
export class CertificateUnusable extends Error {
  override readonly name = 'CertificateUnusable';
}

const HOST_NAME = /^(?:\*\.)?[a-z0-9_-]+(?:\.[a-z0-9_-]+)*$/;
const rsaBitsMin = 2048;
const curves: ReadonlySet<string | undefined> = new Set(['prime256v1', 'secp384r1', 'secp521r1']);

/** Judges a pair. `names` null takes those that the certificate itself says. Errors: CertificateUnusable. */
export function readPair(
  label: string,
  chain: string,
  key: string,
  names: readonly string[] | null,
): Certificate {
  const leaf = attempt('no certificate in PEM form', () => new X509Certificate(chain));
  const privateKey = readKey(key);
  if (!leaf.checkPrivateKey(privateKey))
    throw new CertificateUnusable('the key is not that of the certificate');
  checkKind(privateKey);
  attempt('the TLS library refuses the certificate', () => createSecureContext({ cert: chain, key }));
  return {
    label,
    chain,
    key,
    names: names ?? namesOf(leaf),
    notBeforeMs: Date.parse(leaf.validFrom),
    notAfterMs: Date.parse(leaf.validTo),
  };
}

/** Judges a file of authorities: every certificate in it. Errors: CertificateUnusable. */
export function readAuthorities(pem: string): string {
  const [first = pem, ...others] =
    pem.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
  attempt('no certificate in PEM form', () => new X509Certificate(first));
  for (const [index, each] of others.entries())
    attempt(`certificate ${index + 2} cannot be read`, () => new X509Certificate(each));
  return pem;
}

function readKey(pem: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch (error) {
    const isEncrypted = (error as NodeJS.ErrnoException).code === 'ERR_MISSING_PASSPHRASE';
    throw new CertificateUnusable(
      isEncrypted ? 'the key is encrypted: store it without a passphrase' : 'no private key in PEM form',
    );
  }
}

function checkKind({ asymmetricKeyType: type, asymmetricKeyDetails: details }: KeyObject): void {
  if (type === 'rsa' && (details?.modulusLength ?? 0) < rsaBitsMin)
    throw new CertificateUnusable(`an RSA key of fewer than ${rsaBitsMin} bits`);
  const isServed = type === 'rsa' || type === 'ed25519' || (type === 'ec' && curves.has(details?.namedCurve));
  if (!isServed) throw new CertificateUnusable('the key is none of RSA, P-256, P-384, P-521 and Ed25519');
}

/** RFC 6125 section 6.4: the DNS names among the alternative names; the common name is not looked at. */
function namesOf({ subjectAltName }: X509Certificate): readonly string[] {
  const names = (subjectAltName ?? '').split(', ').flatMap((entry) => {
    const name = entry.startsWith('DNS:') ? entry.slice('DNS:'.length).toLowerCase() : '';
    return HOST_NAME.test(name) ? [name] : [];
  });
  return [...new Set(names)];
}

function attempt<T>(otherwise: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new CertificateUnusable(otherwise, { cause: error });
  }
}
