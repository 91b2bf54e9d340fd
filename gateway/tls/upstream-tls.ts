/**
 * What connections to an upstream bring to its TLS: authorities, a certificate of their own, a name. Read on the main thread
 * at start and with every reload, so that a broken file is refused there; then plain data for the listeners.
 */
import type { UpstreamConfig } from '../config/schema.ts';
import type { ReadFile } from '../keys/files.ts';
import { CertificateUnusable, readAuthorities, readPair } from './certificate.ts';
import { type CertificateProblem, CertificatesRefused } from './files.ts';

/** PEM each; null: those of the system, none, the host of the URL. */
export interface UpstreamTls {
  readonly ca: string | null;
  readonly cert: string | null;
  readonly key: string | null;
  readonly serverName: string | null;
}

const fileBytesMax = 1_048_576;

/** By upstream; those without TLS settings are left out. Errors: CertificatesRefused. */
export async function readUpstreamTls(
  upstreams: Readonly<Record<string, UpstreamConfig>>,
  readFile: ReadFile,
): Promise<ReadonlyMap<string, UpstreamTls>> {
  const all = new Map<string, UpstreamTls>();
  const problems: CertificateProblem[] = [];
  for (const [name, { tls }] of Object.entries(upstreams)) {
    if (tls === undefined) continue;
    const read = async (key: string, file: string | undefined): Promise<string | null> => {
      if (file === undefined) return null;
      try {
        return (await readFile(file, fileBytesMax)).toString('latin1');
      } catch (error) {
        problems.push({ path: `upstreams.${name}.tls.${key}`, message: (error as Error).message });
        return null;
      }
    };
    const ca = await read('ca_file', tls.caFile);
    const cert = await read('cert_file', tls.certFile);
    const key = await read('key_file', tls.keyFile);
    const judge = (setting: string, work: () => unknown): void => {
      try {
        work();
      } catch (error) {
        if (!(error instanceof CertificateUnusable)) throw error;
        problems.push({ path: `upstreams.${name}.tls.${setting}`, message: error.message });
      }
    };
    if (ca !== null) judge('ca_file', () => readAuthorities(ca));
    if (cert !== null && key !== null) judge('cert_file', () => readPair(name, cert, key, []));
    all.set(name, { ca, cert, key, serverName: tls.serverName ?? null });
  }
  if (problems.length > 0) throw new CertificatesRefused(problems);
  return all;
}
