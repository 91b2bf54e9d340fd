/** The keys of the configuration in force, on the main thread: those that verify tokens, and those that sign them. */
import type { Check } from './admin/health.ts';
import type { Problem } from './config/problem.ts';
import type { Config } from './config/schema.ts';
import type { Environment } from './config/substitute.ts';
import { systemClock } from './core/clock.ts';
import { systemTimers } from './core/timers.ts';
import { readBounded, watchFolder } from './keys/files.ts';
import { type IssuerKeysStatus, Keyring } from './keys/keyring.ts';
import type { KeysObserver } from './keys/shared-source.ts';
import { type SignerStatus, SigningRing } from './keys/signing-ring.ts';
import type { Configuration } from './listener/messages.ts';
import type { Logger } from './log/logger.ts';
import type { KeyState } from './metrics/control.ts';
import { fetchDocument } from './upstream/fetch.ts';

export interface KeyPlaneParts {
  readonly environment: Environment;
  readonly observer: KeysObserver;
  readonly logger: Logger;
  /** Keys came or went, except for changes that `configure` makes. */
  readonly changed: () => void;
}

export class KeyPlane {
  readonly ring: Keyring;
  readonly #signing: SigningRing;

  constructor({ environment, observer, logger, changed }: KeyPlaneParts) {
    const parts = {
      clock: systemClock,
      timers: systemTimers,
      readFile: readBounded,
      watchFolder,
      environment: (name: string) => environment[name],
    };
    this.ring = new Keyring({ ...parts, random: Math.random, fetch: fetchDocument, observer });
    this.#signing = new SigningRing({
      ...parts,
      failed: (signer, reason) =>
        logger.error({ signer, reason }, 'a signing key cannot be used; the one from before stays'),
    });
    this.ring.onChange(changed);
    this.#signing.onChange(changed);
  }

  /** What listeners need of all this. */
  get keys(): Pick<Configuration, 'keys' | 'signing'> {
    return { keys: this.ring.keys(), signing: this.#signing.keys() };
  }

  /** Reads the keys of new signers. Problems: signers without a key; then those from before go on. */
  async configureSigners({ signers }: Config, file: string): Promise<readonly Problem[]> {
    const reasons = await this.#signing.configure(signers);
    return [...reasons].map(([signer, message]) => {
      return { file, line: 0, column: 0, path: `signers.${signer}`, message, excerpt: null };
    });
  }

  signers(): readonly SignerStatus[] {
    return this.#signing.status();
  }

  /** What metrics show of each issuer. */
  states(): readonly KeyState[] {
    return this.ring.status().map(({ issuer, keys, lastGoodMs, maxStaleSeconds }) => ({
      issuer,
      keys: keys.length,
      lastGoodMs,
      maxStaleSeconds,
    }));
  }

  checks(): readonly Check[] {
    return this.ring.status().map(checkOf);
  }

  close(): void {
    this.ring.close();
    this.#signing.close();
  }
}

/** An issuer that cannot be reached is no failed check while its keys may still be used. */
function checkOf({ issuer, available, keys, lastGoodMs, lastError }: IssuerKeysStatus): Check {
  const age =
    lastGoodMs === null
      ? 'never loaded'
      : `${keys.length} ${keys.length === 1 ? 'key' : 'keys'}, ${Math.round((systemClock.monotonicMs() - lastGoodMs) / 1000)} s old`;
  return { name: `keys:${issuer}`, ok: available, detail: lastError === null ? age : `${age}; ${lastError}` };
}
