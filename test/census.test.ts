import { createConnection, createServer, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { endianness } from 'node:os';
import { describe, expect, it } from 'vitest';
import { addressesAtCap, ConnectionCensus } from '../gateway/census.ts';

const head =
  '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n';
const word = (hex: string): string =>
  (endianness() === 'LE' ? Buffer.from(hex, 'hex').swap32().toString('hex') : hex).toUpperCase();
const row = (local: string, remote: string, state = '01'): string =>
  `   0: ${local} ${remote} ${state} 00000000:00000000 00:00000000 00000000     0        0 1 1 0000000000000000\n`;
const us = `${word('7f000001')}:1F90`;

describe('the peers at the cap', () => {
  it('are those with so many connections to our port, in both tables together', () => {
    const v4 = row(us, `${word('0a000001')}:C001`).repeat(2) + row(us, `${word('0a000002')}:C001`);
    const mapped = `${word('00000000').repeat(2)}${word('0000ffff')}`;
    const v6 = row(`${mapped}${word('7f000001')}:1F90`, `${mapped}${word('0a000001')}:C002`);
    expect(addressesAtCap([head + v4, head + v6], 8080, 3)).toEqual(['10.0.0.1']);
    expect(addressesAtCap([head + v4, head + v6], 8080, 1)).toEqual(['10.0.0.1', '10.0.0.2']);
  });

  it('are written as the driver writes addresses', () => {
    const remote = word('20010db8') + word('00000000') + word('00000000') + word('00000001');
    expect(addressesAtCap([row(`${remote}:1F90`, `${remote}:C001`)], 8080, 1)).toEqual([
      '2001:0db8:0000:0000:0000:0000:0000:0001',
    ]);
  });

  it.each([
    ['another port of ours', row(`${word('7f000001')}:1F91`, us)],
    ['our port at the other end', row(`${word('7f000001')}:C001`, us)],
    ['a connection in TIME_WAIT', row(us, `${word('0a000001')}:C001`, '06')],
    ['a listening socket', row(us, `${word('00000000')}:0000`, '0A')],
    ['nothing', ''],
    ['half a line', `   0: ${us} ${word('0a000001')}`],
  ])('do not come of %s', (_, text) => {
    expect(addressesAtCap([head + text], 8080, 1)).toEqual([]);
  });

  it('come of the table of this system', async () => {
    const server = createServer();
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const { port } = server.address() as AddressInfo;
    const sockets: Socket[] = [];
    for (let i = 0; i < 3; i += 1) {
      const socket = createConnection(port, '127.0.0.1');
      await once(socket, 'connect');
      sockets.push(socket);
    }
    const text = readFileSync('/proc/self/net/tcp', 'latin1');
    expect(addressesAtCap([text], port, 3)).toEqual(['127.0.0.1']);
    expect(addressesAtCap([text], port, 4)).toEqual([]);
    for (const socket of sockets) socket.destroy();
    server.close();
  });
});

describe('a census', () => {
  const parts = { perAddressMax: 2, port: () => 8080 };

  it('reads nothing while there are too few connections, and takes back what it said when it ends', () => {
    const said: (readonly string[])[] = [];
    let [open, reads] = [1, 0];
    const census = new ConnectionCensus({
      ...parts,
      connections: () => open,
      readTables: () => {
        reads += 1;
        return [row(us, `${word('0a000001')}:C001`).repeat(2)];
      },
      publish: (addresses) => said.push(addresses),
      unavailable: () => expect.unreachable(),
    });
    census.take();
    expect([reads, said]).toEqual([0, []]);
    open = 2;
    census.take();
    expect([reads, said]).toEqual([1, [['10.0.0.1']]]);
    open = 0;
    census.take();
    census.take();
    expect([reads, said]).toEqual([1, [['10.0.0.1'], []]]);
    census.stop();
  });

  it('says once that the system has no such table', () => {
    let said = 0;
    const census = new ConnectionCensus({
      ...parts,
      connections: () => 5,
      readTables: () => {
        throw new Error('ENOENT');
      },
      publish: () => expect.unreachable(),
      unavailable: () => (said += 1),
    });
    census.take();
    expect(said).toBe(1);
    census.stop();
  });
});
