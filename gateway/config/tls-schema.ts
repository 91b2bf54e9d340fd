/** TLS on both sides: the certificates of the listener, and what upstreams have to show and to see. */
import { z } from 'zod';
import { fileName } from './scalars.ts';
import { section } from './section.ts';

const label = '[a-z0-9_-]+';
const serverName = z
  .string()
  .toLowerCase()
  .regex(new RegExp(`^${label}(?:\\.${label})*$`), 'must be a host name');
const serverNamePattern = z
  .string()
  .toLowerCase()
  .regex(
    new RegExp(`^(?:\\*\\.)?${label}(?:\\.${label})*$`),
    'must be a host name; `*` may stand for its first label',
  );

const certificate = section({
  cert_file: fileName.describe('The certificate and those that lead to its root (PEM); watched.'),
  key_file: fileName.describe('Its private key (PEM, without a passphrase); watched.'),
  names: z
    .array(serverNamePattern)
    .min(1)
    .max(100)
    .optional()
    .describe('Server names it is for. Default: those that it says itself.'),
});

const clientCertificates = section({
  ca_file: fileName.describe(
    'The authorities that may sign them (PEM); watched. Who shows another certificate is refused with the handshake; who shows none is not.',
  ),
});

export const listenerTls = section({
  certificates: z
    .array(certificate)
    .min(1)
    .max(64)
    .describe('Chosen by the server name that a caller asks for; the first one is for all others.'),
  client_certificates: clientCertificates
    .optional()
    .describe('Ask callers for a certificate, which tokens can be bound to (RFC 8705).'),
  min_version: z.enum(['1.2', '1.3']).default('1.2').describe('The oldest version of TLS that is spoken.'),
});

export const upstreamTls = section({
  ca_file: fileName
    .optional()
    .describe('The authorities that may sign its certificate (PEM), in place of the well-known ones.'),
  cert_file: fileName.optional().describe('Certificate to show to it, with its chain (PEM).'),
  key_file: fileName.optional().describe('Private key of that certificate (PEM, without a passphrase).'),
  server_name: serverName
    .optional()
    .describe('The name to ask for and to verify. Default: the host of the URL.'),
});
