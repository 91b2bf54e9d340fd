/** Entry of a proxy of `node:http` and undici that looks at nothing: `undici-proxy.js UPSTREAM`. What the pair can do at most. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Pool } from 'undici';

const [, , upstream] = process.argv;
const pool = new Pool(upstream!, { connections: 64, pipelining: 1 });

const server = createServer((request, response) => {
  const hasBody = request.headers['content-length'] !== undefined;
  pool
    .stream(
      { method: request.method as 'GET' | 'POST', path: request.url!, body: hasBody ? request : null },
      ({ statusCode, headers }) => response.writeHead(statusCode, headers),
    )
    .catch(() => response.destroy());
}).listen(0, '127.0.0.1', () => {
  console.log(JSON.stringify({ msg: 'serving', port: (server.address() as AddressInfo).port }));
});
