/**
 * `node dist/test/soak/websockets.js [--sockets 5000] [--mebibytes 1024] [--out FILE]`
 *
 * What open WebSockets cost, and whether memory stays flat while a large answer goes to a slow reader. By hand: it takes
 * minutes and 4 file descriptors for each WebSocket. Prints the result as JSON; exit code 1 if something did not hold.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { mint } from '../hardening/arena.ts';
import { until } from '../support/until.ts';
import { type Client, roundTrip, startStage } from '../websocket/stage.ts';
import { isFlat, trendOf } from './memory.ts';

const { values } = parseArgs({
  options: {
    sockets: { type: 'string', default: '5000' },
    mebibytes: { type: 'string', default: '1024' },
    out: { type: 'string' },
  },
});
const [sockets, mebibytes] = [Number(values.sockets), Number(values.mebibytes)];
const MiB = 1_048_576;
const messageBytes = 65_536;
const atOnce = 50;
const idleSeconds = 90;

const stage = await startStage(
  `
  - { id: live, path: /live, upstream: live, scopes: { all: [orders:read] }, websocket: {} }
`,
  `version: 1
listener: { host: 127.0.0.1, port: 0, threads: 2, max_connections_per_address: 100000 }
admin: { host: 127.0.0.1, port: 0 }
`,
);

/** Resident memory of the gateway. Source: proc(5). */
function residentBytes(): number {
  const status = readFileSync(`/proc/${stage.gateway.pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)![1]) * 1024;
}

/** Processor time of the gateway so far. Source: proc(5), in ticks of 10 ms. */
function cpuSeconds(): number {
  const fields = readFileSync(`/proc/${stage.gateway.pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** When garbage of the opening was collected, as far as it will be. */
async function settledBytes(): Promise<number> {
  await delay(10_000);
  return residentBytes();
}

const violations: string[] = [];

// ------------------------------------------------------------ idle

const warm = await stage.open('/live', { token: mint() });
await roundTrip(warm);
const emptyBytes = residentBytes();
const clients: Client[] = [];
let halfBytes = emptyBytes;
while (clients.length < sockets) {
  if (clients.length === sockets / 2) halfBytes = await settledBytes();
  const batch = Math.min(atOnce, sockets - clients.length);
  const opened = await Promise.all(
    Array.from({ length: batch }, () =>
      stage.knock('/live', { token: mint({ exp: Math.ceil(Date.now() / 1000) + 3600 }) }),
    ),
  );
  for (const client of opened) {
    if (typeof client === 'string') throw new Error(`refused: ${client}`);
    clients.push(client);
  }
}
const cpuBefore = cpuSeconds();
await delay(idleSeconds * 1000);
const idleCpu = (cpuSeconds() - cpuBefore) / idleSeconds;
const fullBytes = residentBytes();
const dead = clients.filter(({ ending }) => ending !== null).length;
if (dead > 0) violations.push(`${dead} idle WebSockets did not stay open`);
const open = await stage.metric('sallyport_websocket_connections');
if (open !== sockets + 1) violations.push(`${open} are counted as open`);
for (const client of clients.filter((_, i) => i % 97 === 0)) await roundTrip({ client });

// ------------------------------------------------------------ a slow reader

const { client, end } = await stage.open('/live', {
  token: mint({ exp: Math.ceil(Date.now() / 1000) + 3600 }),
});
let received = 0;
client.socket.removeAllListeners('message');
client.socket.on('message', (data) => (received += (data as Buffer).length));
const samples: number[] = [];
const sips = setInterval(() => {
  samples.push(residentBytes());
  if (client.socket.isPaused) client.socket.resume();
  else client.socket.pause();
}, 5);
const startedMs = performance.now();
const message = Buffer.alloc(messageBytes);
for (let i = 0; i < (mebibytes * MiB) / messageBytes; i += 1)
  await new Promise((resolve) => end.socket.send(message, resolve));
await until('everything came', () => received === mebibytes * MiB, 60_000);
clearInterval(sips);
const trend = trendOf(samples);
if (!isFlat(trend)) violations.push('memory grew with what the slow reader was sent');

const stopping = stage.gateway.stop();
await Promise.all(clients.map((each) => until('it is told to go', () => each.ending, 60_000)));
const notTold = clients.filter(({ ending }) => ending?.code !== 1001).length;
if (notTold > 0) violations.push(`${notTold} were not closed with 1001`);
if ((await stopping).code !== 0) violations.push('the gateway did not end in order');
await stage.stop();

const report = {
  version: 1,
  taken: new Date().toISOString(),
  node: process.version,
  cpu: `${cpus().length} x ${cpus()[0]?.model ?? 'unknown'}`,
  idle: {
    sockets,
    bytesPerSocket: Math.round((fullBytes - emptyBytes) / sockets),
    // The first half finds room in what the heap had already.
    bytesPerSocketOfSecondHalf: Math.round((fullBytes - halfBytes) / (sockets / 2)),
    cpuShareOfOneCore: Math.round(idleCpu * 1000) / 1000,
  },
  slowReader: { mebibytes, seconds: Math.round((performance.now() - startedMs) / 1000), ...trend },
  violations,
};
const text = `${JSON.stringify(report, null, 2)}\n`;
process.stdout.write(text);
if (values.out !== undefined) writeFileSync(values.out, text);
process.exitCode = violations.length === 0 ? 0 : 1;
