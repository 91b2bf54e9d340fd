/**
 * The certificates of the listener on the main thread: read from files, read again when those change.
 *
 * A renewed pair replaces its former one when all of it is good; else the former one stays, and that is said once. The
 * folders are watched, because renewals replace files or swap symlinks; and because no watch is to be trusted everywhere,
 * the files are also read now and then.
 */
import { createHash } from 'node:crypto';
import { dirname } from 'node:path';
import type { TlsConfig } from '../config/schema.ts';
import type { Clock } from '../core/clock.ts';
import type { Timers } from '../core/timers.ts';
import type { ReadFile, WatchFolder } from '../keys/files.ts';
import {
  type Certificate,
  CertificateUnusable,
  readAuthorities,
  readPair,
  type TlsMaterial,
} from './certificate.ts';

/** Several events belong to one change, and a pair is two files. */
const debounceMs = 200;
const pollMs = 30_000;
const fileBytesMax = 262_144;

export interface CertificateFilesParts {
  readonly readFile: ReadFile;
  readonly watchFolder: WatchFolder;
  readonly clock: Clock;
  readonly timers: Timers;
  /** Something was renewed. */
  readonly changed: (material: TlsMaterial, labels: readonly string[]) => void;
  /** New files cannot be used, and those in force stay. Said once for each content. */
  readonly refused: (reason: string) => void;
}

/** What cannot be used of a configuration, by its place. */
export interface CertificateProblem {
  readonly path: string;
  readonly message: string;
}

/** Not `ConfigurationRefused`: who reads certificates does not know which file names them, nor where. */
export class CertificatesRefused extends Error {
  override readonly name = 'CertificatesRefused';
  readonly problems: readonly CertificateProblem[];

  constructor(problems: readonly CertificateProblem[]) {
    super('the certificates cannot be used');
    this.problems = problems;
  }
}

export class CertificateFiles {
  readonly #config: TlsConfig;
  readonly #parts: CertificateFilesParts;
  #material: TlsMaterial;
  /** Digests of the contents that were refused, by their place. */
  readonly #refused = new Map<string, string>();
  readonly #unwatch: (() => void)[] = [];
  #cancelPoll: () => void = () => {};
  #cancelDebounce: (() => void) | null = null;
  #reading: Promise<void> = Promise.resolve();
  #closed = false;

  /** Errors: CertificatesRefused. */
  static async open(config: TlsConfig, parts: CertificateFilesParts): Promise<CertificateFiles> {
    const problems: CertificateProblem[] = [];
    const certificates: Certificate[] = [];
    for (const [index, place] of config.certificates.entries()) {
      await readCertificate(place, index, parts.readFile).then(
        (certificate) => certificates.push(certificate),
        (error: unknown) =>
          problems.push({ path: `listener.tls.certificates[${index}]`, message: textOf(error) }),
      );
    }
    const clientAuthorities = await readClientAuthorities(config, parts.readFile).catch((error: unknown) => {
      problems.push({ path: 'listener.tls.client_certificates.ca_file', message: textOf(error) });
      return null;
    });
    if (problems.length > 0) throw new CertificatesRefused(problems);
    const { minVersion } = config;
    return new CertificateFiles(config, parts, { certificates, minVersion, clientAuthorities });
  }

  private constructor(config: TlsConfig, parts: CertificateFilesParts, material: TlsMaterial) {
    this.#config = config;
    this.#parts = parts;
    this.#material = material;
    const files = config.certificates.flatMap(({ certFile, keyFile }) => [certFile, keyFile]);
    if (config.clientCertificates !== undefined) files.push(config.clientCertificates.caFile);
    for (const folder of new Set(files.map((file) => dirname(file)))) this.#watch(folder);
    this.#poll();
  }

  get material(): TlsMaterial {
    return this.#material;
  }

  close(): void {
    this.#closed = true;
    for (const unwatch of this.#unwatch) unwatch();
    this.#cancelPoll();
    this.#cancelDebounce?.();
  }

  #watch(folder: string): void {
    try {
      this.#unwatch.push(this.#parts.watchFolder(folder, () => this.#noticed()));
    } catch {
      // The system has no watch to give: polling finds it.
    }
  }

  #poll(): void {
    this.#cancelPoll = this.#parts.timers.after(pollMs, () => {
      this.#readAgain();
      this.#poll();
    });
  }

  #noticed(): void {
    if (this.#closed) return;
    this.#cancelDebounce ??= this.#parts.timers.after(debounceMs, () => {
      this.#cancelDebounce = null;
      this.#readAgain();
    });
  }

  #readAgain(): void {
    this.#reading = this.#reading.then(() => this.#read());
  }

  /** Never rejects. */
  async #read(): Promise<void> {
    const { readFile, clock } = this.#parts;
    const renewed: string[] = [];
    const certificates: Certificate[] = [];
    for (const [index, present] of this.#material.certificates.entries()) {
      const path = `certificates[${index}]`;
      const next = await this.#attempt(path, present, async () => {
        const read = await readCertificate(this.#config.certificates[index]!, index, readFile);
        if (read.notAfterMs <= clock.nowMs() && present.notAfterMs > clock.nowMs())
          throw new CertificateUnusable('it has expired, and the present one has not');
        return read;
      });
      const isSame = next.chain === present.chain && next.key === present.key;
      if (!isSame) renewed.push(next.label);
      certificates.push(isSame ? present : next);
    }
    const former = this.#material.clientAuthorities;
    const clientAuthorities = await this.#attempt('client_certificates', former, () =>
      readClientAuthorities(this.#config, readFile),
    );
    if (clientAuthorities !== former) renewed.push('client_certificates');
    if (renewed.length === 0 || this.#closed) return;
    this.#material = { ...this.#material, certificates, clientAuthorities };
    this.#parts.changed(this.#material, renewed);
  }

  async #attempt<T>(path: string, present: T, read: () => Promise<T>): Promise<T> {
    try {
      const next = await read();
      this.#refused.delete(path);
      return next;
    } catch (error) {
      const digest = error instanceof ContentUnusable ? error.digest : textOf(error);
      if (this.#refused.get(path) !== digest && !this.#closed) {
        this.#refused.set(path, digest);
        this.#parts.refused(`${path}: ${textOf(error)}`);
      }
      return present;
    }
  }
}

/** As CertificateUnusable, with a digest of what was read: the same content is refused aloud once. */
class ContentUnusable extends CertificateUnusable {
  readonly digest: string;

  constructor(file: string, contents: readonly Buffer[], cause: Error) {
    super(`${file}: ${cause.message}`, { cause });
    const hash = createHash('sha256').update(cause.message);
    for (const content of contents) hash.update(content);
    this.digest = hash.digest('base64');
  }
}

type Place = TlsConfig['certificates'][number];

async function readCertificate(
  { certFile, keyFile, names }: Place,
  index: number,
  readFile: ReadFile,
): Promise<Certificate> {
  const [chain, key] = await Promise.all([readFile(certFile, fileBytesMax), readFile(keyFile, fileBytesMax)]);
  const label = names?.[0] ?? String(index);
  try {
    return readPair(label, chain.toString('latin1'), key.toString('latin1'), names ?? null);
  } catch (error) {
    throw new ContentUnusable(certFile, [chain, key], error as Error);
  }
}

/** Null where callers are not asked for certificates. */
async function readClientAuthorities(
  { clientCertificates }: TlsConfig,
  readFile: ReadFile,
): Promise<string | null> {
  if (clientCertificates === undefined) return null;
  const { caFile } = clientCertificates;
  const content = await readFile(caFile, fileBytesMax);
  try {
    return readAuthorities(content.toString('latin1'));
  } catch (error) {
    throw new ContentUnusable(caFile, [content], error as Error);
  }
}

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
