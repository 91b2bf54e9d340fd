/** Is an address free? The driver shares ports between processes without a word, so that has to be asked before. */
import { type AddressInfo, createServer } from 'node:net';

/**
 * The port itself when it is free; for 0 one that the system chooses. The driver lets threads share a port only if they
 * all name it, so 0 must not get as far as that.
 *
 * Errors: the system's own (`EADDRINUSE`, `EACCES`, `EADDRNOTAVAIL`), with the address in the message.
 */
export async function freePort(host: string, port: number): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port, exclusive: true }, resolve);
  });
  const { port: free } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return free;
}
