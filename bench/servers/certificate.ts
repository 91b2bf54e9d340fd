/** A certificate for 127.0.0.1 that nobody has to believe, made by openssl when it is first asked for. */
import { execFileSync } from 'node:child_process';
import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Certificate {
  /** The key stands behind the certificate, since HAProxy takes both from one file. */
  readonly certFile: string;
  readonly keyFile: string;
}

let made: Certificate | null = null;

/** P-256, and the same one for all of a run. */
export function certificate(): Certificate {
  made ??= make();
  return made;
}

function make(): Certificate {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-bench-'));
  process.once('exit', () => rmSync(folder, { recursive: true }));
  const [certFile, keyFile] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-noenc', '-keyout', keyFile];
  const names = ['-subj', '/CN=bench', '-addext', 'subjectAltName=IP:127.0.0.1'];
  execFileSync('openssl', ['req', '-x509', ...key, ...names, '-out', certFile], { stdio: 'ignore' });
  appendFileSync(certFile, readFileSync(keyFile));
  return { certFile, keyFile };
}
