/**
 * Flights that several processes share, kept by Redis or Valkey. One connection for each listener thread; it reconnects by
 * itself, and while it cannot, every call fails at once: nothing is started that others could not be told of.
 */
import { createHash } from 'node:crypto';
import { createClient } from '@redis/client';
import type { FlightKey } from '../../flight/digest.ts';
import { type ScriptName, scripts } from './scripts.ts';

export interface RedisOptions {
  /** `redis://` or `rediss://`. */
  readonly url: string;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  /** Before every key, so that two gateways can share a server. */
  readonly prefix: string;
  readonly timeoutMs: number;
  /** Told when the server cannot be reached. The error tells no secret. */
  readonly failed: (error: unknown) => void;
}

/** Redis could not be asked, or did not answer in time. What it did is unknown. */
export class SharedFault extends Error {
  override readonly name = 'SharedFault';
}

export class RedisScripts {
  readonly #client: ReturnType<typeof createClient>;
  readonly #prefix: string;
  readonly #timeoutMs: number;
  /** Resolves when the first attempt to connect is over, however it ended. */
  readonly #attempted: Promise<void>;

  constructor({ url, username, password, prefix, timeoutMs, failed }: RedisOptions) {
    this.#prefix = prefix;
    this.#timeoutMs = timeoutMs;
    this.#client = createClient({
      url,
      ...(username === undefined ? {} : { username }),
      ...(password === undefined ? {} : { password }),
      disableOfflineQueue: true,
      socket: { connectTimeout: timeoutMs, reconnectStrategy: (tries) => Math.min(2000, 50 * 2 ** tries) },
    });
    this.#client.on('error', failed);
    this.#attempted = new Promise((resolve) => {
      this.#client.once('ready', () => resolve());
      this.#client.once('error', () => resolve());
    });
    this.#client.connect().catch(failed);
    // A thread that ends does not wait for it.
    this.#client.unref();
  }

  /** Runs a script on the words of a key. Errors: `SharedFault`. */
  async run(name: ScriptName, key: FlightKey, ...args: readonly string[]): Promise<readonly string[]> {
    const digest = createHash('sha256')
      .update(`${key.provider.length} ${key.provider}${key.account}`)
      .digest('hex')
      .slice(0, 32);
    // The braces keep both words of a key on one server of a cluster.
    const at = `${this.#prefix}:{${digest}}`;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new SharedFault('Redis did not answer in time')), this.#timeoutMs);
    });
    try {
      const words = { keys: [`${at}:s`, `${at}:g`], arguments: [...args] };
      // The first call of a thread may come before the connection is there.
      const call = this.#attempted.then(() => this.#client.eval(scripts[name], words));
      return (await Promise.race([call, late])) as unknown as readonly string[];
    } catch (error) {
      throw error instanceof SharedFault ? error : new SharedFault('Redis cannot be asked', { cause: error });
    } finally {
      clearTimeout(timer);
    }
  }

  close(): void {
    this.#client.destroy();
  }
}
