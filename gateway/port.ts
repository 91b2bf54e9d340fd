/** Is an address free? The driver shares ports between processes without a word, so that has to be asked before. */
import { createServer } from 'node:net';

/** Errors: the system's own (`EADDRINUSE`, `EACCES`, `EADDRNOTAVAIL`), with the address in the message. */
export async function assertPortIsFree(host: string, port: number): Promise<void> {
  if (port === 0) return;
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port, exclusive: true }, resolve);
  });
  await new Promise((resolve) => server.close(resolve));
}
