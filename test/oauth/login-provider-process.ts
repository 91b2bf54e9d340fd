/**
 * A real OpenID provider in a process of its own, with the device flow, the code flow and rotated refresh tokens whose
 * second use revokes the grant. Below `/control/` a test plays the user, and slows the token endpoint down.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Provider } from 'oidc-provider';
import { generateKey } from '../../examples/demo/oidc.ts';
import type { ControlState } from './login-provider.ts';

const subject = 'ada';
const scope = 'openid offline_access';

const counts = new Map<string, number>();
/** By grant type: refreshes are told apart from polls. */
const grants = new Map<string, number>();
let accessTokenSeconds = 3600;
let refreshDelayMs = 0;
let revokedGrants = 0;
let provider: Provider;
let answer: ReturnType<Provider['callback']>;

const server = createServer((request, response) => void serve(request, response));

async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://provider');
  if (url.pathname.startsWith('/control/')) return control(url, response);
  counts.set(url.pathname, (counts.get(url.pathname) ?? 0) + 1);
  return void answer(request, response);
}

async function control(url: URL, response: ServerResponse): Promise<void> {
  const parameter = (name: string): string => url.searchParams.get(name) ?? '';
  switch (url.pathname) {
    case '/control/approve':
      await decide(parameter('user_code'), true);
      break;
    case '/control/deny':
      await decide(parameter('user_code'), false);
      break;
    case '/control/access-token-seconds':
      accessTokenSeconds = Number(parameter('value'));
      break;
    case '/control/refresh-delay-ms':
      refreshDelayMs = Number(parameter('value'));
      break;
    default:
  }
  const state: ControlState = {
    counts: Object.fromEntries(counts),
    grants: Object.fromEntries(grants),
    revokedGrants,
  };
  response.setHeader('content-type', 'application/json').end(JSON.stringify(state));
}

/** What the pages of the provider do when a user has entered the code and said yes, or no. */
async function decide(userCode: string, approve: boolean): Promise<void> {
  const code = await provider.DeviceCode.findByUserCode(userCode.replaceAll('-', ''), {
    ignoreExpiration: true,
  });
  if (code === undefined) throw new Error('no such user code');
  if (approve) {
    const grant = new provider.Grant({ clientId: code.clientId!, accountId: subject });
    grant.addOIDCScope(scope);
    Object.assign(code, {
      accountId: subject,
      authTime: Math.floor(Date.now() / 1000),
      grantId: await grant.save(),
      scope,
    });
  } else {
    Object.assign(code, { error: 'access_denied', errorDescription: 'the user said no' });
  }
  await code.save();
}

server.listen({ host: '127.0.0.1', port: 0 }, () => {
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  provider = new Provider(issuer, {
    jwks: { keys: [generateKey('rs256', 'RS256')] },
    clients: [
      {
        client_id: 'cli',
        token_endpoint_auth_method: 'none',
        application_type: 'native',
        grant_types: ['urn:ietf:params:oauth:grant-type:device_code', 'refresh_token'],
        redirect_uris: [],
        response_types: [],
      },
    ],
    scopes: ['openid', 'offline_access'],
    ttl: {
      AccessToken: () => accessTokenSeconds,
      DeviceCode: 600,
      Grant: 86_400,
      IdToken: 3600,
      RefreshToken: 86_400,
    },
    features: { devInteractions: { enabled: false }, deviceFlow: { enabled: true } },
    rotateRefreshToken: true,
    findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
  });
  provider.use(async (context, next) => {
    await next();
    const { oidc } = context as { oidc?: { params?: Record<string, unknown>; route?: string } };
    if (oidc?.route !== 'token') return;
    const grantType = String(oidc.params?.['grant_type']);
    grants.set(grantType, (grants.get(grantType) ?? 0) + 1);
    // The grant is made, and its answer is on its way.
    if (grantType === 'refresh_token' && refreshDelayMs > 0)
      await new Promise((resolve) => setTimeout(resolve, refreshDelayMs));
  });
  provider.on('grant.revoked', () => {
    revokedGrants += 1;
  });
  answer = provider.callback();
  process.send!({ issuer });
});

process.on('disconnect', () => process.exit());
