/**
 * The demo's provider for logins, in a process of its own: `logins.js PORT CALLBACK`. Tells its parent the port; lives as
 * long as it.
 */
import { createServer } from 'node:http';
import { host, listenNear } from './listen.ts';
import { createLoginProvider } from './login-provider.ts';
import { generateKey } from './oidc.ts';

process.on('SIGINT', () => {});
process.on('disconnect', () => process.exit());

const [, , preferred, callback] = process.argv;
const server = createServer();
const port = await listenNear(server, Number(preferred));
const answer = createLoginProvider({
  issuer: `http://${host}:${port}`,
  key: generateKey('logins-1', 'ES256'),
  clients: { 'demo-device': [], 'demo-browser': [callback!] },
  codeSeconds: 600,
  tokenSeconds: 3600,
}).callback();
server.on('request', (request, response) => void answer(request, response));
process.send!({ port });
