/** U8: a slow end stops the other one, or is given up; the memory of the gateway stays where it was. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../support/until.ts';
import { type Client, type End, roundTrip, type Stage, startStage } from './stage.ts';

const messageBytes = 65_536;
const MiB = 1_048_576;
/** What a run may add: buffers of two sockets, and garbage that was not collected yet. */
const grownBytesMax = 48 * MiB;

let stage: Stage;
beforeAll(async () => {
  stage = await startStage(`
  - { id: open, path: /open, upstream: live, public: true, websocket: { max_buffered_bytes: 2097152 } }
`);
  // Warm: code is compiled and buffers have their usual size.
  const { client, end } = await stage.open('/open');
  await pour(end, 8 * MiB);
  await until('all came', () => client.messages.length === (8 * MiB) / messageBytes);
  client.socket.close();
});
afterAll(() => stage.stop());

/** Resident memory. Source: proc(5). */
function residentBytes(): number {
  const status = readFileSync(`/proc/${stage.gateway.pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)![1]) * 1024;
}

/** Sends so many bytes in messages that begin with their number, no faster than the connection takes them. */
async function pour({ socket }: { readonly socket: End['socket'] }, bytes: number): Promise<void> {
  const message = Buffer.alloc(messageBytes);
  for (let i = 0; i < bytes / messageBytes && socket.readyState === socket.OPEN; i += 1) {
    message.writeUInt32BE(i);
    await new Promise((resolve) => socket.send(message, resolve));
  }
}

/** Numbers of messages in order, without keeping them. */
function counted(client: Client): { count: number; inOrder: boolean } {
  const seen = { count: 0, inOrder: true };
  client.socket.removeAllListeners('message');
  client.socket.on('message', (data) => {
    seen.inOrder &&= (data as Buffer).readUInt32BE() === seen.count;
    seen.count += 1;
  });
  return seen;
}

describe.runIf(process.platform === 'linux')('a caller that reads slowly', () => {
  it('stops the upstream, gets everything in order in the end, and costs no memory', async () => {
    const totalBytes = 128 * MiB;
    const { client, end } = await stage.open('/open');
    const seen = counted(client);
    client.socket.pause();
    const before = residentBytes();
    let poured = false;
    void pour(end, totalBytes).then(() => (poured = true));

    // It stands still when nothing has been taken from the upstream for 20 looks.
    let [taken, looks] = [-1, 0];
    const writtenBytes = (): number =>
      (end.socket as unknown as { _socket: { bytesWritten: number; writableLength: number } })._socket
        .bytesWritten;
    await until('the upstream stands still', () => {
      looks = writtenBytes() === taken ? looks + 1 : 0;
      taken = writtenBytes();
      return taken > 0 && looks >= 20;
    });
    expect(poured).toBe(false);
    // Kernel buffers of four sockets, which grow up to some MiB each.
    expect(taken).toBeLessThan(32 * MiB);
    expect(residentBytes() - before).toBeLessThan(grownBytesMax);

    // Sips: the connection is taken up and left again.
    const peaks: number[] = [];
    const sips = setInterval(() => {
      peaks.push(residentBytes());
      if (client.socket.isPaused) client.socket.resume();
      else client.socket.pause();
    }, 2);
    await until('everything came', () => seen.count === totalBytes / messageBytes, 50_000);
    clearInterval(sips);
    client.socket.resume();
    expect(seen.inOrder).toBe(true);
    expect(Math.max(...peaks) - before).toBeLessThan(grownBytesMax);
    client.socket.close();
    expect(await end.ended()).toBe('1005');
  }, 60_000);
});

describe.runIf(process.platform === 'linux')('an upstream that reads slowly', () => {
  it('is given up with 1013 when more waits for it than the route allows, which costs no memory', async () => {
    const { client, end } = await stage.open('/open');
    const before = residentBytes();
    end.socket.pause();
    const pouring = pour(client, 128 * MiB).catch(() => {});
    expect(await client.ended()).toBe('1013 upstream too slow');
    await pouring;
    expect(residentBytes() - before).toBeLessThan(grownBytesMax);
    end.socket.resume();
    expect(await end.ended()).toBe('1006');
    const healthy = await stage.open('/open');
    await roundTrip(healthy);
    healthy.client.socket.close();
  });
});
