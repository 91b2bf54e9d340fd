/**
 * Callers that send one request after another, each over a connection of its own, and count what comes of it. A caller
 * whose answer says `Connection: close` is done: it behaves like a load balancer that saw the gateway leave.
 */
import { Agent, type IncomingHttpHeaders, request } from 'node:http';

export interface Ask {
  readonly path: string;
  readonly method?: string;
  readonly token?: string;
  readonly body?: string;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export class Traffic {
  /** Requests by what came of them: `200`, `503 verifier_full`, `ECONNRESET`. */
  readonly outcomes = new Map<string, number>();
  answered = 0;
  readonly #callers: Promise<void>[];
  #stopped = false;

  /** Starts `callers` callers at once; `next` says what each of them asks next. */
  constructor(url: string, callers: number, next: () => Ask) {
    this.#callers = Array.from({ length: callers }, () => this.#call(url, next));
  }

  /** Resolves when every caller is done: stopped, or told to leave. */
  async done(): Promise<void> {
    await Promise.all(this.#callers);
  }

  async stop(): Promise<Readonly<Record<string, number>>> {
    this.#stopped = true;
    await this.done();
    return Object.fromEntries(this.outcomes);
  }

  async #call(url: string, next: () => Ask): Promise<void> {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    let leave = false;
    while (!this.#stopped && !leave) {
      let outcome: string;
      try {
        const answer = await ask(url, next(), agent);
        leave = answer.headers.connection === 'close';
        outcome = outcomeOf(answer);
      } catch (error) {
        const { code, message } = error as NodeJS.ErrnoException;
        leave = true;
        outcome = code ?? message;
      }
      this.outcomes.set(outcome, (this.outcomes.get(outcome) ?? 0) + 1);
      this.answered += 1;
    }
    agent.destroy();
  }
}

/** Sends one request. Rejects when the connection fails. */
export function ask(url: string, { path, method = 'GET', token, body }: Ask, agent?: Agent): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const sent = request(`${url}${path}`, { method, headers, agent: agent ?? false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        resolve({
          status: response.statusCode!,
          headers: response.headers,
          body: Buffer.concat(chunks).toString(),
        });
      });
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

/** The status, and the code where the gateway itself refused. */
export function outcomeOf({ status, headers, body }: Answer): string {
  if (headers['content-type'] !== 'application/problem+json') return String(status);
  return `${status} ${(JSON.parse(body) as { code: string }).code}`;
}
