/**
 * Asks an access hook: one bounded POST on a kept connection. 200 or 204 is a yes, 403 is a no, and everything else is a
 * failure, as is no answer in time.
 */
import type { Agent } from 'undici';
import type { HookAnswer } from '../access-hook/answers.ts';
import { undici } from './undici.ts';

export interface HookClientOptions {
  readonly url: string;
  /** For everything together. */
  readonly timeoutMs: number;
  readonly connections: number;
}

/** What an answer has besides its status is not read; a longer one costs its connection. */
const bodyBytesMax = 16_384;

export class HookClient {
  readonly #options: HookClientOptions;
  readonly #url: URL;
  #agent: Agent;

  constructor(options: HookClientOptions) {
    this.#options = options;
    this.#url = new URL(options.url);
    this.#agent = this.#open();
  }

  /** Never rejects. `traceFields`: name, value, name, value. */
  async ask(question: string, traceFields: readonly string[]): Promise<HookAnswer> {
    const deadline = new AbortController();
    const timer = setTimeout(() => deadline.abort(), this.#options.timeoutMs);
    try {
      const { statusCode, body } = await this.#agent.request({
        origin: this.#url.origin,
        path: this.#url.pathname + this.#url.search,
        method: 'POST',
        headers: ['content-type', 'application/json', 'accept', 'application/json', ...traceFields],
        body: question,
        signal: deadline.signal,
      });
      await body.dump({ limit: bodyBytesMax, signal: deadline.signal }).catch(() => {});
      if (statusCode === 200 || statusCode === 204) return 'allowed';
      return statusCode === 403 ? 'denied' : 'failed';
    } catch {
      return 'failed';
    } finally {
      clearTimeout(timer);
    }
  }

  /** Calls under way are finished, and late ones are still made; they keep no connection. */
  async close(): Promise<void> {
    const former = this.#agent;
    this.#agent = this.#open(1);
    await former.close();
  }

  #open(keepAliveTimeout = 4000): Agent {
    const { connections } = this.#options;
    return new (undici().Agent)({ connections, pipelining: 1, maxHeaderSize: 16_384, keepAliveTimeout });
  }
}
