/** The way into the console. The pages behind it are loaded when somebody wants one: a start waits for none of them. */
import type { IncomingMessage } from 'node:http';
import { type Answer, text } from '../answer.ts';
import { consoleBase, isOurHost } from './address.ts';
import type { Console } from './console.ts';
import type { ConsoleSource } from './source.ts';

export class Entrance {
  readonly #source: ConsoleSource;
  readonly #host: string;
  #console: Console | null = null;

  /** `host`: where the admin listener listens, as configured. */
  constructor(source: ConsoleSource, host: string) {
    this.#source = source;
    this.#host = host;
  }

  /** Is this path the console's? The root leads there. */
  has(path: string): boolean {
    return path === '/' || path === consoleBase || path.startsWith(`${consoleBase}/`);
  }

  async answer(request: IncomingMessage, path: string, query: URLSearchParams): Promise<Answer> {
    if (!isOurHost(request.headers.host, this.#host))
      return text(421, 'the console is served under an address, localhost or the configured host\n');
    if (this.#console === null) {
      const { Console } = await import('./console.ts');
      this.#console ??= new Console(this.#source);
    }
    return this.#console.answer(request, path, query);
  }
}
