/** Certificates for tests, made by Debian's openssl: an authority of their own, and what it signs. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Pair {
  /** PEM. */
  readonly cert: string;
  /** PEM. */
  readonly key: string;
}

export interface IssueOptions {
  readonly names?: readonly string[];
  /** From now; negative has expired. */
  readonly days?: number;
  /** What `openssl genpkey` makes. */
  readonly key?: readonly string[];
  /** Extended key usage, as in `serverAuth`; none when left out. */
  readonly usage?: string;
}

const P256 = ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256'];

/** An authority in a temporary folder. The caller removes it. */
export class Authority {
  readonly folder = mkdtempSync(join(tmpdir(), 'sallyport-ca-'));
  /** PEM. */
  readonly cert: string;
  #issued = 0;

  constructor(name = 'Test Authority') {
    this.#openssl('genpkey', ...P256, '-out', 'ca.key');
    this.#openssl('req', '-x509', '-key', 'ca.key', '-out', 'ca.crt', '-days', '2', '-subj', `/CN=${name}`);
    this.cert = this.#read('ca.crt');
  }

  issue({ names = ['gateway.test'], days = 1, key = P256, usage }: IssueOptions = {}): Pair {
    this.#issued += 1;
    const file = (ending: string): string => `${this.#issued}.${ending}`;
    this.#openssl('genpkey', ...key, '-out', file('key'));
    this.#openssl('req', '-new', '-key', file('key'), '-out', file('csr'), '-subj', `/CN=${names[0]}`);
    const alternatives = names.map((name) => `DNS:${name}`).join(',');
    const extended = usage === undefined ? '' : `extendedKeyUsage=${usage}\n`;
    writeFileSync(join(this.folder, file('ext')), `subjectAltName=${alternatives}\n${extended}`);
    this.#openssl(
      'x509', '-req', '-in', file('csr'), '-CA', 'ca.crt', '-CAkey', 'ca.key', '-days', String(days),
      '-extfile', file('ext'), '-out', file('crt'),
    ); // prettier-ignore
    return { cert: this.#read(file('crt')), key: this.#read(file('key')) };
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  #openssl(...args: string[]): void {
    execFileSync('openssl', args, { cwd: this.folder, stdio: 'pipe' });
  }

  #read(name: string): string {
    return readFileSync(join(this.folder, name), 'latin1');
  }
}

/** Replaces a file as renewals do: another one is renamed over it. */
export function replaceFile(file: string, content: string): void {
  writeFileSync(`${file}.new`, content, { mode: 0o600 });
  renameSync(`${file}.new`, file);
}
