/**
 * A real OpenID provider in a process of its own, as one at a user's site would be: `provider-process.js AUDIENCE CLIENTS FORM`.
 * Its keys change and its key set endpoint fails on command of the parent; see `provider.ts`.
 */
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  createProvider,
  generateKey,
  type SigningAlgorithm,
  type SigningKey,
} from '../../examples/demo/oidc.ts';
import type { EndpointMode, ProviderCommand, ProviderReply, ProviderRequest } from './provider-messages.ts';

const [, , audience, clientsText, form] = process.argv;
const clients = JSON.parse(clientsText!) as Record<string, string[]>;
const tokenSeconds = 3600;

let keys: readonly SigningKey[] = [];
let keysMode: EndpointMode = 'serve';
let keysFetches = 0;
let introspectionMode: EndpointMode = 'serve';
let introspections = 0;
let keysMade = 0;
let issuer = '';
let answer: ReturnType<ReturnType<typeof createProvider>['callback']>;
const hanging = new Set<ServerResponse>();

/** The provider reads its keys once, so that new keys make a new provider behind the same address. */
function publish(next: readonly SigningKey[]): void {
  keys = next;
  const provider = createProvider({
    issuer,
    keys,
    signWith: keys.at(-1)!.kid,
    audience: audience!,
    clients,
    tokenSeconds,
    opaque: form === 'opaque',
  });
  answer = provider.callback();
}

function makeKey(algorithm: SigningAlgorithm): SigningKey {
  keysMade += 1;
  return generateKey(`${algorithm.toLowerCase()}-${keysMade}`, algorithm);
}

function obey(command: ProviderCommand): void {
  switch (command.kind) {
    case 'add-key':
      return publish([...keys, makeKey(command.algorithm)]);
    case 'drop-key':
      return publish(keys.filter((key) => key.kid !== command.kid));
    case 'keys-mode':
      keysMode = command.mode;
      return dropHanging();
    case 'introspection-mode':
      introspectionMode = command.mode;
      return dropHanging();
    case 'state':
      return;
  }
}

function dropHanging(): void {
  for (const response of hanging) response.destroy();
  hanging.clear();
}

const server = createServer((request, response) => {
  if (request.url === '/jwks') {
    keysFetches += 1;
    if (keysMode === 'fail') return void response.writeHead(500).end();
    if (keysMode === 'hang') return void hanging.add(response);
  }
  if (request.url === '/token/introspection') {
    introspections += 1;
    if (introspectionMode === 'fail') return void response.writeHead(500).end();
    if (introspectionMode === 'hang') return void hanging.add(response);
  }
  return void answer(request, response);
});

server.listen({ host: '127.0.0.1', port: 0 }, () => {
  issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  publish([makeKey('RS256')]);
  reply(0);
});

function reply(ticket: number): void {
  const state = { issuer, kids: keys.map((key) => key.kid), keysFetches, introspections };
  process.send!({ ticket, state } satisfies ProviderReply);
}

process.on('message', ({ ticket, command }: ProviderRequest) => {
  obey(command);
  reply(ticket);
});
process.on('disconnect', () => process.exit());
