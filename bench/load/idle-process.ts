/** Entry of the process that holds connections on which nothing happens. See `idle.ts`. */
import { connect, type Socket } from 'node:net';
import { readTokens } from '../tokens/lines.ts';
import type { IdleJob, IdleReport } from './idle.ts';

/** How many are opened or asked at the same time. */
const atOnce = 100;

process.once('message', (job: IdleJob) => {
  void hold(job);
});

async function hold(job: IdleJob): Promise<void> {
  const { hostname, port, host, pathname } = new URL(job.url);
  const [token] = readTokens(job.tokensFile, 0, 1);
  const question = `GET ${pathname} HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Bearer ${token}\r\n\r\n`;
  const sockets: Socket[] = [];
  let ended = 0;

  async function open(index: number): Promise<void> {
    const localAddress = `127.0.0.${2 + Math.floor(index / job.perAddress)}`;
    const socket = connect({ host: hostname, port: Number(port), localAddress });
    await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject));
    socket.on('error', () => {}).once('close', () => (ended += 1));
    sockets[index] = socket;
    await ask(socket);
  }

  async function ask(socket: Socket): Promise<void> {
    socket.write(question);
    await new Promise((resolve) => socket.once('data', resolve));
  }

  await inBatches(job.connections, open);
  report({ kind: 'open' });
  process.on('message', (wish: 'ask' | 'count') => {
    if (wish === 'count') report({ kind: 'count', open: job.connections - ended });
    else
      void inBatches(job.connections, (index) => ask(sockets[index]!)).then(() => report({ kind: 'asked' }));
  });
}

async function inBatches(count: number, run: (index: number) => Promise<void>): Promise<void> {
  for (let from = 0; from < count; from += atOnce)
    await Promise.all(Array.from({ length: Math.min(atOnce, count - from) }, (_, n) => run(from + n)));
}

function report(message: IdleReport): void {
  process.send!(message);
}
