/** What is sent to providers, and what is made of what they answer, however hostile. */
import { generateKeyPairSync } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ProviderParts } from '../../gateway/oauth/authorization-server.ts';
import { loadClientAuth, type SecretSources } from '../../gateway/oauth/client-auth.ts';
import { beginDevice } from '../../gateway/oauth/device-attempt.ts';
import { ServerProvider } from '../../gateway/oauth/server-provider.ts';
import { providerFault, type ProviderFault, retryAfterMsOf } from '../../gateway/oauth/provider-fault.ts';
import type { GrantedTokens } from '../../gateway/oauth/credential.ts';
import { createOauthFetch } from '../../gateway/upstream/oauth-fetch.ts';
import { HandTimers } from '../flight/hand-timers.ts';
import { FakeIssuer, issuer, tokens } from './fake-issuer.ts';
import { oauthConfig } from './stage.ts';

const pem = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({
  type: 'pkcs8',
  format: 'pem',
}) as string;
const files: Readonly<Record<string, string>> = {
  '/etc/secret': 's3cret\n',
  '/etc/client.pem': pem,
  '/etc/empty': '\n',
};
const sources: SecretSources = {
  readFile: (path) =>
    files[path] === undefined
      ? Promise.reject(new Error('ENOENT'))
      : Promise.resolve(Buffer.from(files[path])),
  environment: (name) => (name === 'SECRET' ? 'from env' : undefined),
};

function providerWith(clientAuth: string): { fake: FakeIssuer; provider: ServerProvider } {
  const { providers } = oauthConfig(
    `    idp: { issuer: '${issuer}', client_id: cli, flow: device, client_auth: ${clientAuth} }`,
  );
  const fake = new FakeIssuer(new HandTimers());
  const parts: ProviderParts = {
    fetch: fake.fetch,
    nowMs: () => 0,
    clientAuth: () => loadClientAuth(providers['idp']!, sources),
    called: () => {},
  };
  return { fake, provider: new ServerProvider('idp', providers['idp']!, parts, beginDevice) };
}

const signal = new AbortController().signal;

describe('client authentication', () => {
  it('none: our id and nothing else', async () => {
    const { fake, provider } = providerWith('{ method: none }');
    await provider.begin(signal);
    const [call] = fake.callsTo('/device');
    expect([call!.form.get('client_id'), call!.headers['authorization']]).toEqual(['cli', undefined]);
  });

  it.each([
    ['secret_file: /etc/secret', 's3cret'],
    ['secret_env: SECRET', 'from+env'],
  ])('client_secret_basic with %s', async (source, secret) => {
    const { fake, provider } = providerWith(`{ method: client_secret_basic, ${source} }`);
    await provider.begin(signal);
    expect(fake.callsTo('/device')[0]!.headers['authorization']).toBe(`Basic ${btoa(`cli:${secret}`)}`);
  });

  it('client_secret_post', async () => {
    const { fake, provider } = providerWith('{ method: client_secret_post, secret_file: /etc/secret }');
    await provider.begin(signal);
    expect(fake.callsTo('/device')[0]!.form.get('client_secret')).toBe('s3cret');
  });

  it('private_key_jwt: a short-lived assertion for the issuer, under our key', async () => {
    const { fake, provider } = providerWith(
      '{ method: private_key_jwt, key_file: /etc/client.pem, key_id: gw-1, algorithm: ES256 }',
    );
    await provider.begin(signal);
    const assertion = fake.callsTo('/device')[0]!.form.get('client_assertion')!;
    expect(decodeProtectedHeader(assertion)).toMatchObject({ alg: 'ES256', kid: 'gw-1' });
    expect(decodeJwt(assertion)).toMatchObject({ iss: 'cli', sub: 'cli', aud: issuer });
  });

  it.each([
    '{ method: client_secret_basic, secret_file: /etc/missing }',
    '{ method: client_secret_post, secret_env: MISSING }',
    '{ method: client_secret_post, secret_file: /etc/empty }',
    '{ method: private_key_jwt, key_file: /etc/secret }',
  ])('%s cannot be used, and tells no secret', async (clientAuth) => {
    const { provider } = providerWith(clientAuth);
    const fault = await provider.begin(signal).catch((error: unknown) => error as ProviderFault);
    expect(fault).toMatchObject({ kind: 'refused', oauthCode: null });
    expect((fault as ProviderFault).message).not.toContain('s3cret');
  });
});

describe('a refresh', () => {
  const grant: GrantedTokens = {
    kind: 'tokens',
    accessToken: 'a0',
    tokenType: 'bearer',
    refreshToken: 'r0',
    scope: 'orders',
    subject: 'ada',
    obtainedAtMs: 0,
    expiresAtMs: 0,
    refusal: null,
  };

  it('keeps what the provider does not say again', async () => {
    const { fake, provider } = providerWith('{ method: none }');
    fake.next('/token', { json: { access_token: 'a1', token_type: 'Bearer' } });
    expect(await provider.refresh(grant)).toEqual({ ...grant, accessToken: 'a1', expiresAtMs: null });
  });

  it('takes over the rotated refresh token', async () => {
    const { fake, provider } = providerWith('{ method: none }');
    fake.next('/token', tokens('1', 60));
    expect(await provider.refresh(grant)).toMatchObject({ refreshToken: 'refresh-1', expiresAtMs: 60_000 });
  });

  it.each([
    ['another token type', { access_token: 'a', token_type: 'mac' }],
    ['no access token', { token_type: 'bearer' }],
    ['a number for a token', { access_token: 1, token_type: 'bearer' }],
    ['a token with a line end', { access_token: 'a\r\nx-user: root', token_type: 'bearer' }],
    ['a token of 9 KiB', { access_token: 'x'.repeat(9216), token_type: 'bearer' }],
    ['a token bound to a key that we lack', { access_token: 'a', token_type: 'DPoP' }],
    ['text', 'hello'],
    ['null', null],
  ])('B11: %s is no answer', async (_, json) => {
    const { fake, provider } = providerWith('{ method: none }');
    fake.next('/token', { json });
    await expect(provider.refresh(grant)).rejects.toMatchObject({ name: 'ProviderFault', kind: 'invalid' });
  });

  it('metadata is fetched once, and again when that failed', async () => {
    const { fake, provider } = providerWith('{ method: none }');
    fake.next('/.well-known/openid-configuration', { status: 500, json: {} });
    await expect(provider.begin(signal)).rejects.toMatchObject({ kind: 'unreachable' });
    await Promise.all([provider.begin(signal), provider.begin(signal), provider.begin(signal)]);
    expect(fake.callsTo('/.well-known/openid-configuration')).toHaveLength(2);
  });

  it('B4: metadata of another issuer is refused', async () => {
    const { fake, provider } = providerWith('{ method: none }');
    const json = { issuer: 'https://evil.example', device_authorization_endpoint: `${issuer}/device` };
    fake.next('/.well-known/openid-configuration', { json });
    await expect(provider.begin(signal)).rejects.toMatchObject({ kind: 'invalid' });
  });
});

describe('Retry-After', () => {
  it.each([
    ['7', 7000],
    ['0', 0],
    ['-5', 0],
    ['x', 0],
    ['99999999999', 0],
    ['86400', 300_000],
    ['Thu, 01 Jan 1970 00:01:00 GMT', 60_000],
  ])('%s is %i ms', (text, ms) => {
    expect(retryAfterMsOf(new Response(null, { headers: { 'retry-after': text } }), 0)).toBe(ms);
  });
});

describe('the fetch', () => {
  let server: Server;
  let base: string;
  const fetch = createOauthFetch({ timeoutMs: 300, allowHttp: false });
  const post = { method: 'POST', headers: { 'content-type': 'text/plain' }, body: 'hello' } as const;

  beforeAll(async () => {
    server = createServer((request, response) => {
      switch (request.url) {
        case '/redirect':
          return void response.writeHead(307, { location: '/echo' }).end();
        case '/large':
          return void response.end('x'.repeat(300_000));
        case '/slow':
          return;
        case '/none':
          return void response.writeHead(204).end();
        case undefined:
        default:
          request.pipe(response.writeHead(201, { 'x-method': request.method }));
      }
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });

  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  it('sends what it is given and returns what came', async () => {
    const response = await fetch(`${base}/echo`, post);
    expect([response.status, response.headers.get('x-method'), await response.text()]).toEqual([
      201,
      'POST',
      'hello',
    ]);
  });

  it('returns an answer without a body', async () => {
    expect((await fetch(`${base}/none`, { method: 'GET', headers: {} })).status).toBe(204);
  });

  it.each([
    ['/redirect', 'invalid'],
    ['/large', 'invalid'],
    ['/slow', 'unreachable'],
  ])('B3, B11: %s is a fault', async (path, kind) => {
    const fault = await fetch(base + path, post).catch(providerFault);
    expect(fault).toMatchObject({ name: 'ProviderFault', kind });
  });

  it('B11: http:// to another host is refused', async () => {
    expect(await fetch('http://issuer.example/', post).catch(providerFault)).toMatchObject({
      kind: 'invalid',
    });
  });

  it('is aborted from outside', async () => {
    const abort = new AbortController();
    const fetching = fetch(`${base}/slow`, { ...post, signal: abort.signal }).catch(providerFault);
    abort.abort();
    expect(await fetching).toMatchObject({ kind: 'unreachable' });
  });
});
