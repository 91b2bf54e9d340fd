/**
 * Which certificate a caller showed, as far as it can be believed: asked only about tokens that are bound to one (RFC 8705).
 *
 * The driver has judged the certificate of a connection before any request comes (`front.ts`). A proxy that ends its callers'
 * TLS tells theirs in a field (RFC 9440), which is believed where the configuration says so, and from nobody else.
 */
import type { RawHeaders } from '../core/exchange.ts';
import type { HttpResponse } from '../native/uws.ts';
import { thumbprintInField, thumbprintOfPem } from '../tls/thumbprint.ts';

/** Thumbprint of the certificate (RFC 8705 section 3.1), null where none was shown. */
export type ReadCertificate = (
  response: HttpResponse,
  fields: RawHeaders,
  peerTrusted: boolean,
) => string | null;

export interface CertificateSources {
  /** Callers speak TLS to us. */
  readonly secure: boolean;
  /** Trusted peers tell the certificates of their callers. */
  readonly trustField: boolean;
}

/**
 * Nothing is kept from one request of a connection to the next: the driver has no name for a connection that outlives it.
 *
 * Cost: 4 µs for a certificate with a P-256 key.
 */
export function certificateReader({ secure, trustField }: CertificateSources): ReadCertificate {
  return (response, fields, peerTrusted) => {
    // What a proxy shows for itself is not its caller's.
    if (trustField && peerTrusted) return thumbprintInField(fields);
    return secure ? thumbprintOfPem(response.getX509Certificate!()) : null;
  };
}
