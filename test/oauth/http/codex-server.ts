/**
 * What the compatibility mount's providers talk to: a server with the device flow of Codex (codes in JSON, the PKCE verifier
 * made by the server), and the file in which another program keeps a Claude Code login. Plays what the test tells it.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

/** All that must never reach a caller. */
export const secrets = {
  deviceAuthId: 'secret-device-auth-id',
  code: 'secret-authorization-code',
  verifier: 'secret-code-verifier-of-at-least-43-characters-0123',
  accessToken: 'secret-access-token',
  refreshToken: 'secret-refresh-token',
} as const;

type Step = 'usercode' | 'poll' | 'exchange';

const paths: Readonly<Record<string, Step>> = {
  '/api/accounts/deviceauth/usercode': 'usercode',
  '/api/accounts/deviceauth/token': 'poll',
  '/oauth/token': 'exchange',
};

export class CodexServer {
  readonly url: string;
  readonly calls: Record<Step, number> = { usercode: 0, poll: 0, exchange: 0 };
  /** What the next codes say. */
  codes: Readonly<Record<string, unknown>> = { interval: '1' };
  /** Whether the user has confirmed. */
  approved = false;
  /** Steps that answer this status. */
  readonly failing = new Map<Step, number>();
  /** Steps that wait for `release`. */
  readonly holding = new Set<Step>();
  readonly #held: (() => void)[] = [];
  readonly #server: Server;
  #codes = 0;

  static async start(): Promise<CodexServer> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen({ host: '127.0.0.1', port: 0 }, resolve));
    return new CodexServer(server);
  }

  private constructor(server: Server) {
    this.#server = server;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    server.on('request', (request, response) => void this.#serve(request, response));
  }

  /** As new: nobody has confirmed, nothing fails, nothing waits. */
  reset(): void {
    for (const step of Object.values(paths)) this.calls[step] = 0;
    this.codes = { interval: '1' };
    this.approved = false;
    this.failing.clear();
    this.release();
  }

  /** Lets go of everything that waits, and what comes later too. */
  release(): void {
    this.holding.clear();
    for (const go of this.#held.splice(0)) go();
  }

  async stop(): Promise<void> {
    this.release();
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const step = paths[request.url!];
    await text(request);
    if (step === undefined) return void response.writeHead(500).end();
    this.calls[step] += 1;
    if (this.holding.has(step)) await new Promise<void>((resolve) => this.#held.push(resolve));
    const failure = this.failing.get(step);
    if (failure !== undefined) return void response.writeHead(failure).end('secret: a raw exception');
    if (step === 'poll' && !this.approved) return void response.writeHead(403).end();
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(this.#answer(step)));
  }

  #answer(step: Step): Readonly<Record<string, unknown>> {
    switch (step) {
      case 'usercode':
        this.#codes += 1;
        return {
          device_auth_id: secrets.deviceAuthId,
          user_code: `CODE-${1000 + this.#codes}`,
          ...this.codes,
        };
      case 'poll':
        return { authorization_code: secrets.code, code_verifier: secrets.verifier };
      case 'exchange':
        return {
          access_token: secrets.accessToken,
          refresh_token: secrets.refreshToken,
          token_type: 'bearer',
          expires_in: 3600,
        };
    }
  }
}
