/**
 * A real provider for logins in a process of its own: `login-provider-process.js CLIENTS CODE_SECONDS TOKEN_SECONDS`.
 * Counts the requests to each of its paths, and fails, delays or keeps silent on command; see `login-provider.ts`.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { createLoginProvider } from '../../examples/demo/login-provider.ts';
import { generateKey } from '../../examples/demo/oidc.ts';
import type { LoginProviderReply, LoginProviderRequest, PathMode } from './login-provider-messages.ts';

const [, , clientsText, codeSeconds, tokenSeconds] = process.argv;
const clients = JSON.parse(clientsText!) as Record<string, string[]>;

const calls: Record<string, number> = {};
const modes = new Map<string, PathMode>();
let answer: (request: IncomingMessage, response: ServerResponse) => unknown;

async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const path = request.url!.split('?', 1)[0]!;
  calls[path] = (calls[path] ?? 0) + 1;
  const mode = modes.get(path);
  if (mode?.kind === 'fail') return void response.writeHead(mode.status).end();
  if (mode?.kind === 'delay') await delay(mode.delayMs);
  answer(request, response);
}

const server = createServer((request, response) => void serve(request, response));

server.listen({ host: '127.0.0.1', port: 0 }, () => {
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  answer = createLoginProvider({
    issuer,
    key: generateKey('logins-1', 'ES256'),
    clients,
    codeSeconds: Number(codeSeconds),
    tokenSeconds: Number(tokenSeconds),
  }).callback();
  process.on('message', ({ ticket, path, mode }: LoginProviderRequest) => {
    if (path !== undefined && mode !== undefined) modes.set(path, mode);
    process.send!({ ticket, issuer, calls } satisfies LoginProviderReply);
  });
  process.send!({ ticket: 0, issuer, calls } satisfies LoginProviderReply);
});
process.on('disconnect', () => process.exit());
