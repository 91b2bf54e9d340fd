/** Thumbprints of certificates: base64url of the SHA-256 of their DER form (RFC 8705 section 3.1, `x5t#S256`). */
import { hash } from 'node:crypto';
import type { RawHeaders } from '../core/exchange.ts';

/** RFC 9440 section 2.1: one item, a byte sequence (RFC 8941 section 3.3.5). Null for anything else. */
export function thumbprintInField(fields: RawHeaders): string | null {
  let found: string | null = null;
  for (let i = 0; i < fields.length; i += 2) {
    if (fields[i] !== 'client-cert') continue;
    // Two of them: which one is the proxy's?
    if (found !== null) return null;
    found = fields[i + 1]!;
  }
  const encoded = /^:([A-Za-z0-9+/]+={0,2}):$/.exec(found ?? '')?.[1];
  return encoded === undefined ? null : thumbprintOf(Buffer.from(encoded, 'base64'));
}

/** Null for an empty text. */
export function thumbprintOfPem(pem: string): string | null {
  const encoded = /-----BEGIN CERTIFICATE-----([^-]+)-----END/.exec(pem)?.[1];
  return encoded === undefined ? null : thumbprintOf(Buffer.from(encoded, 'base64'));
}

const thumbprintOf = (der: Buffer): string => hash('sha256', der, 'base64url');
