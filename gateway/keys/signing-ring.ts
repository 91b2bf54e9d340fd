/**
 * The keys that the gateway signs with, on the main thread: read at start and at reload, and again when a file changes.
 * Listeners get copies. A file that cannot be used never replaces a key that can.
 */
import type { SignerConfig } from '../config/schema.ts';
import { importSigningKeys, importSigningSecret, type SigningKeys } from '../token/signing-key.ts';
import { KeyFile, type FileParts } from './files.ts';
import { errorOf, SourceError, type SourceOwner } from './source.ts';

/** A private key set is small. */
const fileBytesMax = 262_144;

export interface SigningParts extends FileParts {
  readonly environment: (name: string) => string | undefined;
  /** A changed file could not be used; the key from before goes on signing. */
  readonly failed: (signer: string, reason: string) => void;
}

export interface SignerStatus {
  readonly name: string;
  readonly algorithm: string;
  /** Of the key that signs; null for a secret without one. */
  readonly kid: string | null;
  /** Why the key is not that of its file; null while it is. */
  readonly error: string | null;
}

/** One signer: its configuration, where its key comes from, and the key. */
class Seat implements SourceOwner {
  readonly name: string;
  readonly config: SignerConfig;
  keys: SigningKeys | null = null;
  /** Why there is no key, or not the one of the file; null while all is well. */
  error: string | null = null;
  readonly #file: KeyFile | null;
  readonly #parts: SigningParts;
  readonly #changed: () => void;

  constructor(name: string, config: SignerConfig, parts: SigningParts, changed: () => void) {
    this.name = name;
    this.config = config;
    this.#parts = parts;
    this.#changed = changed;
    const path = config.keyFile ?? config.secretFile;
    this.#file = path === undefined ? null : new KeyFile(path, fileBytesMax, parts, this);
  }

  async start(): Promise<void> {
    if (this.#file !== null) return this.#file.start();
    const value = this.#parts.environment(this.config.secretEnv ?? '');
    if (value === undefined) this.#fail('the environment variable is not set');
    else await this.taken(Buffer.from(value, 'utf8'));
  }

  stop(): void {
    this.#file?.stop();
  }

  async taken(content: Buffer): Promise<boolean> {
    const { algorithm, kid = null, keyFile, secretEncoding } = this.config;
    const text = content.toString('utf8');
    try {
      this.keys =
        keyFile === undefined
          ? importSigningSecret(text, secretEncoding, algorithm, kid)
          : await importSigningKeys(text, algorithm, kid);
    } catch (error) {
      this.#fail(errorOf(error).message);
      return false;
    }
    this.error = null;
    this.#changed();
    return true;
  }

  unchanged(): void {}

  failed(error: Error): void {
    const { code } = error as NodeJS.ErrnoException;
    this.#fail(
      error instanceof SourceError ? error.message : `the file cannot be read (${code ?? 'unknown reason'})`,
    );
  }

  attempted(): void {}

  #fail(reason: string): void {
    this.error = reason;
    if (this.keys !== null) this.#parts.failed(this.name, reason);
  }
}

export class SigningRing {
  readonly #parts: SigningParts;
  #seats: readonly Seat[] = [];
  readonly #listeners: (() => void)[] = [];

  constructor(parts: SigningParts) {
    this.#parts = parts;
  }

  /** By signer, in the order of the configuration. */
  keys(): readonly SigningKeys[] {
    return this.#seats.flatMap(({ keys }) => keys ?? []);
  }

  status(): readonly SignerStatus[] {
    return this.#seats.map(({ name, config, keys, error }) => ({
      name,
      algorithm: config.algorithm,
      kid: keys?.signing.kid ?? null,
      error,
    }));
  }

  /** Calls when a key was replaced by that of a changed file. */
  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  /** Replaces the signers, unless one of them has no key: then nothing changes, and the reasons are returned by signer. */
  async configure(signers: Readonly<Record<string, SignerConfig>>): Promise<ReadonlyMap<string, string>> {
    const next = Object.entries(signers).map(
      ([name, config]) => new Seat(name, config, this.#parts, () => this.#changed()),
    );
    await Promise.all(next.map((seat) => seat.start()));
    const reasons = new Map(
      next.flatMap(({ name, error }) => (error === null ? [] : [[name, error] as const])),
    );
    const leaving = reasons.size > 0 ? next : this.#seats;
    if (reasons.size === 0) this.#seats = next;
    for (const seat of leaving) seat.stop();
    return reasons;
  }

  close(): void {
    for (const seat of this.#seats) seat.stop();
    this.#seats = [];
  }

  #changed(): void {
    for (const listener of this.#listeners) listener();
  }
}
