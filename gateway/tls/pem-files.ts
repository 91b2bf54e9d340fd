/**
 * Certificates as files for the length of one call: the driver takes file names only.
 *
 * What main judged is what the driver must read, while the files of the configuration may change between the two, or be
 * broken by the time a listener is started again. So it is written out: to memory (`/dev/shm`) where there is such a place,
 * in a folder of this user alone, and removed before the call returns.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TlsMaterial } from './certificate.ts';

export interface PemFiles {
  readonly chainFile: string;
  readonly keyFile: string;
  readonly names: readonly string[];
}

export interface TlsFiles {
  readonly certificates: readonly PemFiles[];
  readonly clientAuthoritiesFile: string | null;
}

/** Calls `use` with the files, which are gone when it returns. Errors: the system's, and those of `use`. */
export function withPemFiles<T>(tls: TlsMaterial, use: (files: TlsFiles) => T): T {
  const folder = privateFolder(['/dev/shm', tmpdir()]);
  try {
    const write = (name: string, pem: string): string => {
      const file = join(folder, name);
      writeFileSync(file, pem, { mode: 0o600, flag: 'wx', encoding: 'latin1' });
      return file;
    };
    const certificates = tls.certificates.map(({ chain, key, names }, index) => ({
      chainFile: write(`${index}.crt`, chain),
      keyFile: write(`${index}.key`, key),
      names,
    }));
    const { clientAuthorities } = tls;
    const clientAuthoritiesFile = clientAuthorities === null ? null : write('clients.crt', clientAuthorities);
    return use({ certificates, clientAuthoritiesFile });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A new folder that only this user may enter, in the first place that takes one. */
function privateFolder(places: readonly string[]): string {
  let failure: unknown;
  for (const place of places) {
    try {
      return mkdtempSync(join(place, 'sallyport-tls-'));
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}
