/**
 * A proxy that checks nothing: what the hardening suite must see through. It takes the payload of a token at its word, passes
 * every field on and answers whatever the upstream says. Over plain sockets, because node:http would do some things right.
 */
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

export interface NaiveProxy {
  readonly port: number;
  stop(): Promise<void>;
}

const refusal = (status: string): string => `HTTP/1.1 ${status}\r\nContent-Length: 0\r\n\r\n`;

/** True for anything in the shape of a token; for other paths than `/orders` nothing is asked. */
function isPermitted(head: string): boolean {
  if (!/ \/(?:orders|decide)/.test(head)) return true;
  const payload = /authorization: *bearer +[^.\r\n]*\.([^.\r\n]*)/i.exec(head)?.[1];
  return payload !== undefined && Buffer.from(payload, 'base64url').toString().includes('orders:read');
}

/** Forwards to `upstreamUrl`, one request after the other on each connection, until stopped. */
export async function startNaiveProxy(upstreamUrl: string): Promise<NaiveProxy> {
  const { port } = new URL(upstreamUrl);
  const sockets = new Set<Socket>();
  const server = createServer((caller) => {
    sockets.add(caller);
    const upstream = connect(Number(port), '127.0.0.1');
    upstream.pipe(caller);
    upstream.on('error', () => caller.destroy());
    caller.on('error', () => upstream.destroy()).on('close', () => upstream.destroy());
    let permitted = false;
    caller.on('data', (chunk: Buffer) => {
      const text = chunk.toString('latin1');
      // Every chunk that looks like a head is one; the rest is body.
      if (text.includes(' HTTP/')) permitted = isPermitted(text);
      if (permitted) upstream.write(chunk);
      else caller.write(refusal('401 Unauthorized'));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    stop: () => {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
