/** The service behind the soak's gateway: says what it got, slowly or at length if asked, and notices what must not come. */
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';

export const largeBytes = 1_048_576;
export const slowMs = 400;
/** Carried by requests that the gateway must refuse. */
export const forbiddenMark = 'x-soak-must-not-arrive';

export class SoakUpstream {
  /** Requests that came although their token is bad. */
  trespassers = 0;
  requests = 0;
  readonly #server: Server;
  readonly #large = Buffer.alloc(largeBytes, 'sallyport ');

  constructor() {
    this.#server = createServer((request, response) => {
      this.requests += 1;
      if (request.headers[forbiddenMark] !== undefined) this.trespassers += 1;
      // The gateway cuts what its caller has left; that is no failure here.
      this.#answer(request, response).catch(() => response.destroy());
    });
  }

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen({ host: '127.0.0.1', port: 0 }, resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  sockets(): Promise<number> {
    return promisify(this.#server.getConnections.bind(this.#server))();
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const hash = createHash('sha256');
    for await (const chunk of request) hash.update(chunk as Buffer);
    const { pathname, searchParams } = new URL(request.url!, 'http://upstream');
    if (pathname === '/soak/slow') await delay(slowMs);
    if (pathname === '/soak/large') response.end(this.#large);
    else response.end(JSON.stringify({ n: searchParams.get('n'), sha256: hash.digest('hex') }));
  }
}
