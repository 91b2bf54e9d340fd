/**
 * Who holds how many connections: the cap of connections of one address. Runs on the main thread.
 *
 * The driver tells the address of a connection that opens and not of one that closes, so no listener can count. The system
 * can: once a second, while there are enough connections for the question to arise, its table is read, and the listeners
 * are told which addresses are at the cap. They close new connections of those; so a cap is exceeded for a second at most.
 */
import { readFileSync } from 'node:fs';
import { endianness } from 'node:os';

/** Where Linux shows the connections of this network namespace. Source: proc(5), `/proc/net/tcp`. */
const tables = ['/proc/self/net/tcp', '/proc/self/net/tcp6'];
const everyMs = 1000;
/** ESTABLISHED, and CLOSE_WAIT: the peer has left and the connection is still here. */
const openStates = new Set(['01', '08']);

export interface CensusParts {
  /** Most connections of one address to all listeners. */
  readonly perAddressMax: number;
  /** Open connections of callers, as the listeners count them. */
  readonly connections: () => number;
  readonly port: () => number;
  /** The tables' text; throws where the system has none. */
  readonly readTables?: () => readonly string[];
  /** Addresses that are at the cap; called when there are any, and once when there are none any more. */
  readonly publish: (addresses: readonly string[]) => void;
  /** This system cannot tell: said once. */
  readonly unavailable: () => void;
}

export class ConnectionCensus {
  readonly #parts: CensusParts;
  readonly #timer: NodeJS.Timeout;
  #published = false;

  constructor(parts: CensusParts) {
    this.#parts = parts;
    this.#timer = setInterval(() => this.take(), everyMs).unref();
  }

  /** Counts now. Runs by itself; public so that a test can run it at a time of its own. */
  take(): void {
    const { perAddressMax, connections, port, publish } = this.#parts;
    const addresses =
      connections() < perAddressMax ? [] : addressesAtCap(this.#readTables(), port(), perAddressMax);
    if (addresses.length === 0 && !this.#published) return;
    this.#published = addresses.length > 0;
    publish(addresses);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #readTables(): readonly string[] {
    try {
      return (this.#parts.readTables ?? readTables)();
    } catch {
      this.stop();
      this.#parts.unavailable();
      return [];
    }
  }
}

function readTables(): readonly string[] {
  return tables.map((path) => readFileSync(path, 'latin1'));
}

/** Peers with `countMin` connections or more to the local port, as `peerAddress` writes them. */
export function addressesAtCap(texts: readonly string[], port: number, countMin: number): readonly string[] {
  const localPort = `:${port.toString(16).toUpperCase().padStart(4, '0')} `;
  const counts = new Map<string, number>();
  for (const text of texts) {
    for (const line of text.split('\n')) {
      if (!line.includes(localPort)) continue;
      const [, local = '', remote = '', state = ''] = line.trim().split(/ +/, 4);
      if (!`${local} `.endsWith(localPort) || !openStates.has(state)) continue;
      const address = remote.slice(0, remote.indexOf(':'));
      counts.set(address, (counts.get(address) ?? 0) + 1);
    }
  }
  const totals = new Map<string, number>();
  for (const [hex, count] of counts) {
    const address = addressOf(hex);
    totals.set(address, (totals.get(address) ?? 0) + count);
  }
  return [...totals].filter(([, count]) => count >= countMin).map(([address]) => address);
}

/** Four octets, or sixteen, as 32-bit words in this machine's order. Written as the driver writes addresses. */
function addressOf(hex: string): string {
  const bytes = Buffer.from(hex, 'hex');
  if (endianness() === 'LE') bytes.swap32();
  if (bytes.length === 4) return bytes.join('.');
  const isMapped = bytes.subarray(0, 10).every((octet) => octet === 0) && bytes.readUInt16BE(10) === 0xffff;
  if (isMapped) return bytes.subarray(12).join('.');
  return (bytes.toString('hex').match(/.{4}/g) ?? []).join(':');
}
