/** Entry of the process that shows each token once. See `fill.ts`. */
import { connect, type Socket } from 'node:net';
import { readTokens } from '../tokens/lines.ts';
import type { FillJob } from './fill.ts';

const connections = 64;

process.once('message', (job: FillJob) => {
  void fill(job).then(() => process.exit());
});

async function fill({ url, tokensFile, tokens: count, expectedStatus }: FillJob): Promise<void> {
  const { hostname, port, host, pathname } = new URL(url);
  const tokens = readTokens(tokensFile, 0, count);
  const head = `GET ${pathname} HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Bearer `;
  let next = 0;

  /** Answers are smaller than a packet, so that each comes as one chunk. */
  async function show(): Promise<void> {
    const socket = connect({ host: hostname, port: Number(port), noDelay: true });
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject).once('close', () => reject(new Error('a connection was closed')));
      socket.once('connect', () => send(socket, resolve));
      socket.on('data', (chunk) => {
        const status = chunk.toString('latin1', 9, 12);
        if (status === String(expectedStatus)) send(socket, resolve);
        else reject(new Error(`a token was answered with ${status}`));
      });
    });
    socket.destroy();
  }

  function send(socket: Socket, done: () => void): void {
    const token = tokens[next];
    next += 1;
    if (token === undefined) done();
    else socket.write(`${head}${token}\r\n\r\n`);
  }

  await Promise.all(Array.from({ length: connections }, show));
}
