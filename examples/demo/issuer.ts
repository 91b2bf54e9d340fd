/** The demo's OpenID provider, in a process of its own: `issuer.js PORT`. Tells its parent the port; lives as long as it. */
import { createServer } from 'node:http';
import { host, listenNear } from './listen.ts';
import { createProvider, generateKey } from './oidc.ts';
import { audience, clients, tokenSeconds } from './people.ts';

// Ctrl-C reaches the whole process group; the gateway decides when it is over.
process.on('SIGINT', () => {});
process.on('disconnect', () => process.exit());

const server = createServer();
const port = await listenNear(server, Number(process.argv[2]));
const key = generateKey('demo-1', 'ES256');
const provider = createProvider({
  issuer: `http://${host}:${port}`,
  keys: [key],
  signWith: key.kid,
  audience,
  clients,
  tokenSeconds,
});
const answer = provider.callback();
server.on('request', (request, response) => void answer(request, response));
process.send!({ port });
