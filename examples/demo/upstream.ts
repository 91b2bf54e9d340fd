/** The demo's service, in a process of its own: `upstream.js PORT`. Answers every request with what it got, as JSON. */
import { createServer } from 'node:http';
import { listenNear } from './listen.ts';

process.on('SIGINT', () => {});
process.on('disconnect', () => process.exit());

const bodyBytesMax = 65_536;

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  let bytes = 0;
  request.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes <= bodyBytesMax) chunks.push(chunk);
  });
  request.on('end', () => {
    const { method, url, headers } = request;
    const body = bytes <= bodyBytesMax ? Buffer.concat(chunks).toString() : `${bytes} bytes`;
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(`${JSON.stringify({ method, url, headers, body }, null, 2)}\n`);
  });
});
const port = await listenNear(server, Number(process.argv[2]));
process.send!({ port });
