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
import { type Client, roundTrip, type Stage, startStage } from '../websocket/stage.ts';
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
/** Long enough for a round of pings, and for garbage of the opening to be collected. */
const idleSeconds = 90;

const routes = `
  - { id: live, path: /live, upstream: live, scopes: { all: [orders:read] }, websocket: {} }
`;
const preamble = `version: 1
listener: { host: 127.0.0.1, port: 0, threads: 2, max_connections_per_address: 100000 }
admin: { host: 127.0.0.1, port: 0 }
`;

const tokenForAnHour = (): string => mint({ exp: Math.ceil(Date.now() / 1000) + 3600 });

/** Resident memory of the gateway, its verify workers included. Source: proc(5). */
function residentBytes({ gateway }: Stage): number {
  const status = readFileSync(`/proc/${gateway.pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)![1]) * 1024;
}

/** Processor time of the gateway so far. Source: proc(5), in ticks of 10 ms. */
function cpuSeconds({ gateway }: Stage): number {
  const fields = readFileSync(`/proc/${gateway.pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

interface Idle {
  readonly stage: Stage;
  readonly clients: readonly Client[];
  readonly residentBytes: number;
  /** Of one core. */
  readonly cpuShare: number;
}

const violations: string[] = [];

/** A fresh gateway with so many WebSockets, each with a token of its own, after a while of nothing. */
async function openIdle(count: number): Promise<Idle> {
  const stage = await startStage(routes, preamble);
  const clients: Client[] = [];
  while (clients.length < count) {
    const batch = Array.from({ length: Math.min(atOnce, count - clients.length) }, () =>
      stage.knock('/live', { token: tokenForAnHour() }),
    );
    for (const client of await Promise.all(batch)) {
      if (typeof client === 'string') throw new Error(`refused: ${client}`);
      clients.push(client);
    }
  }
  const cpuBefore = cpuSeconds(stage);
  await delay(idleSeconds * 1000);
  const cpuShare = (cpuSeconds(stage) - cpuBefore) / idleSeconds;
  const dead = clients.filter(({ ending }) => ending !== null).length;
  if (dead > 0) violations.push(`${dead} of ${count} idle WebSockets did not stay open`);
  const open = await stage.metric('sallyport_websocket_connections');
  if (open !== count) violations.push(`${open} are counted as open, of ${count}`);
  return { stage, clients, residentBytes: residentBytes(stage), cpuShare };
}

/** Ends the gateway: every caller is told. */
async function end({ stage, clients }: Idle): Promise<void> {
  const stopping = stage.gateway.stop();
  await Promise.all(clients.map((each) => until('it is told to go', () => each.ending, 60_000)));
  const notTold = clients.filter(({ ending }) => ending?.code !== 1001).length;
  if (notTold > 0) violations.push(`${notTold} were not closed with 1001`);
  if ((await stopping).code !== 0) violations.push('the gateway did not end in order');
  await stage.stop();
}

// Two gateways, and the difference between them: what a gateway needs without any WebSocket is no matter then.
const few = await openIdle(sockets / 5);
await end(few);
const many = await openIdle(sockets);
for (const client of many.clients.filter((_, i) => i % 97 === 0)) await roundTrip({ client });

const { stage } = many;
const { client, end: upstreamEnd } = await stage.open('/live', { token: tokenForAnHour() });
let received = 0;
client.socket.removeAllListeners('message');
client.socket.on('message', (data) => (received += (data as Buffer).length));
const samples: number[] = [];
const sips = setInterval(() => {
  samples.push(residentBytes(stage));
  if (client.socket.isPaused) client.socket.resume();
  else client.socket.pause();
}, 5);
const startedMs = performance.now();
const message = Buffer.alloc(messageBytes);
for (let i = 0; i < (mebibytes * MiB) / messageBytes; i += 1)
  await new Promise((resolve) => upstreamEnd.socket.send(message, resolve));
await until('everything came', () => received === mebibytes * MiB, 60_000);
const seconds = (performance.now() - startedMs) / 1000;
clearInterval(sips);
client.socket.close();
const trend = trendOf(samples);
if (!isFlat(trend)) violations.push('memory grew with what the slow reader was sent');
await end(many);

const report = {
  version: 1,
  taken: new Date().toISOString(),
  node: process.version,
  cpu: `${cpus().length} x ${cpus()[0]?.model ?? 'unknown'}`,
  idle: {
    sockets,
    residentBytes: many.residentBytes,
    residentBytesOfAFifth: few.residentBytes,
    bytesPerSocket: Math.round((many.residentBytes - few.residentBytes) / (sockets * 0.8)),
    cpuShareOfOneCore: Math.round(many.cpuShare * 1000) / 1000,
  },
  slowReader: { mebibytes, seconds: Math.round(seconds), ...trend },
  violations,
};
const text = `${JSON.stringify(report, null, 2)}\n`;
process.stdout.write(text);
if (values.out !== undefined) writeFileSync(values.out, text);
process.exitCode = violations.length === 0 ? 0 : 1;
