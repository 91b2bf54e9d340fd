/**
 * Entry of a Fastify server with the plug-ins that its users take for this: `fastify.js JWKS ISSUER AUDIENCE SCOPE [UPSTREAM]`.
 * `@fastify/jwt` with its cache of verified tokens on, and `@fastify/http-proxy`.
 */
import proxy from '@fastify/http-proxy';
import jwt from '@fastify/jwt';
import { createPublicKey, type JsonWebKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fastify, type FastifyReply, type FastifyRequest } from 'fastify';

const [, , jwksFile, issuer, audience, scope, upstream] = process.argv;

const { keys } = JSON.parse(readFileSync(jwksFile!, 'utf8')) as { keys: JsonWebKey[] };
const publicKey = createPublicKey({ key: keys[0]!, format: 'jwk' });

const app = fastify();
await app.register(jwt, {
  secret: { public: publicKey.export({ type: 'spki', format: 'pem' }) as string },
  verify: { algorithms: ['RS256'], allowedIss: issuer!, allowedAud: audience!, cache: true },
});

async function authorize(request: FastifyRequest, reply: FastifyReply): Promise<void> {
  const claims = await request.jwtVerify<{ scope?: string }>();
  if (!(claims.scope ?? '').split(' ').includes(scope!)) await reply.code(403).send();
}

app.get('/decide', { onRequest: authorize }, async (_, reply) => await reply.code(204).send());
if (upstream !== undefined) {
  // A hook for all routes of this context, as the documentation of the plug-in has it.
  await app.register(async (context) => {
    context.addHook('onRequest', authorize);
    await context.register(proxy, { upstream, prefix: '/forward', rewritePrefix: '/forward' });
  });
}
const address = new URL(await app.listen({ host: '127.0.0.1', port: 0 }));
console.log(JSON.stringify({ msg: 'serving', port: Number(address.port) }));
