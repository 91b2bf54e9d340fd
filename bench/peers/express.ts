/** Entry of an Express server with Auth0's middleware for bearer tokens: `express.js JWKS ISSUER AUDIENCE SCOPE`. */
import express from 'express';
import { auth, requiredScopes } from 'express-oauth2-jwt-bearer';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

const [, , jwksFile, issuer, audience, scope] = process.argv;

const jwks = readFileSync(jwksFile!, 'utf8');
const keyServer = createServer((_, response) => {
  response.setHeader('content-type', 'application/json').end(jwks);
}).listen(0, '127.0.0.1', () => {
  const { port: keyPort } = keyServer.address() as AddressInfo;
  const app = express();
  const isBearer = auth({
    jwksUri: `http://127.0.0.1:${keyPort}/jwks.json`,
    issuer: issuer!,
    audience: audience!,
    tokenSigningAlg: 'RS256',
  });
  app.get('/decide', isBearer, requiredScopes(scope!), (_, response) => {
    response.status(204).end();
  });
  const server = app.listen(0, '127.0.0.1', () => {
    const { port } = server.address() as AddressInfo;
    console.log(JSON.stringify({ msg: 'serving', port }));
  });
});
