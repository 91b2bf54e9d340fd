/** Ports of the demo: the documented one, or another where that is taken. */
import { createServer, type AddressInfo, type Server } from 'node:net';

export const host = '127.0.0.1';

/** Listens on loopback. Returns the port: `preferred`, or one that the system chose because it is in use. */
export async function listenNear(server: Server, preferred: number): Promise<number> {
  try {
    return await listen(server, preferred);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    return listen(server, 0);
  }
}

/** A port that is free now, for somebody else to listen on. */
export async function freePortNear(preferred: number): Promise<number> {
  const server = createServer();
  const port = await listenNear(server, preferred);
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port }, () => {
      server.off('error', reject);
      resolve((server.address() as AddressInfo).port);
    });
  });
}
