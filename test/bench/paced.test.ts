/** The open-loop pacer, held to a server that stalls: what waited because of it must show in the latency. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type * as Paced from '../../bench/load/paced.ts';
import { built } from '../support/built.ts';

const { startPaced } = (await import(built('bench/load/paced.js'))) as typeof Paced;

const stallMs = 300;
let folder: string;
let server: Server;
let status = 204;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sallyport-test-'));
  writeFileSync(join(folder, 'tokens.txt'), 'a.token.here\n');
  let requests = 0;
  server = createServer((_request, response) => {
    requests += 1;
    setTimeout(() => response.writeHead(status).end(), requests === 1 ? stallMs : 0);
  });
  await new Promise<void>((resolve) => server.listen({ host: '127.0.0.1', port: 0 }, resolve));
});

afterEach(() => {
  server.closeAllConnections();
  server.close();
  rmSync(folder, { recursive: true });
});

const job = (): Paced.PacedJob => ({
  url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
  perSecond: 100,
  seconds: 1,
  warmUpSeconds: 0,
  connections: 1,
  expectedStatus: 204,
  tokensFile: join(folder, 'tokens.txt'),
  tokens: 'repeat',
  localAddress: '127.0.0.1',
});

it('counts latency from when a request was due, not from when a connection was free', async () => {
  const { answered, latency, service } = await startPaced(job()).result;
  expect(answered).toBe(100);
  // About 30 requests were due while the first one stalled. They waited, on average half as long as it.
  expect(latency.p90).toBeGreaterThan(0.5 * stallMs * 1000);
  expect(service.p90).toBeLessThan(0.5 * latency.p90);
});

it('fails when an answer has another status than expected', async () => {
  status = 503;
  await expect(startPaced(job()).result).rejects.toThrow('{"503":100}');
});
