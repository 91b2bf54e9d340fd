/**
 * A real OpenID provider where people log in: by a device code (RFC 8628) or in the browser (RFC 6749 section 4.1). Every
 * name is known and no password is asked for. `oidc-provider` does the work; here is what it is told, and its pages.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { type KoaContextWithOIDC, Provider } from 'oidc-provider';
import type { SigningKey } from './oidc.ts';
import { askForCode, askForName, codeIsDone, confirmCode } from './login-pages.ts';

export interface LoginProviderOptions {
  /** The issuer identifier: the address it is reached at. */
  readonly issuer: string;
  readonly key: SigningKey;
  /** Client ids and where each may send browsers back to. They have no secret. */
  readonly clients: Readonly<Record<string, readonly string[]>>;
  /** How long a user code is good. */
  readonly codeSeconds: number;
  readonly tokenSeconds: number;
}

export function createLoginProvider(options: LoginProviderOptions): Provider {
  const { issuer, key, clients, codeSeconds, tokenSeconds } = options;
  const provider = new Provider(issuer, {
    jwks: { keys: [key] },
    clients: Object.entries(clients).map(([id, redirectUris]) => ({
      client_id: id,
      token_endpoint_auth_method: 'none',
      grant_types: ['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:device_code'],
      redirect_uris: [...redirectUris],
      response_types: redirectUris.length === 0 ? [] : ['code'],
      id_token_signed_response_alg: key.alg,
    })),
    cookies: { keys: ['no secret: this is a demo'] },
    ttl: {
      DeviceCode: codeSeconds,
      AccessToken: tokenSeconds,
      IdToken: tokenSeconds,
      AuthorizationCode: 60,
      Interaction: 900,
      Session: 900,
      Grant: 86_400,
      RefreshToken: 86_400,
    },
    findAccount: (_, name) => ({ accountId: name, claims: () => ({ sub: name }) }),
    interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
    loadExistingGrant: grantAll,
    issueRefreshToken: (_, client) => client.grantTypeAllowed('refresh_token'),
    features: {
      devInteractions: { enabled: false },
      deviceFlow: {
        enabled: true,
        charset: 'base-20',
        mask: '****-****',
        userCodeInputSource: (ctx, form, _, error) => show(ctx, askForCode(form, error !== undefined)),
        userCodeConfirmSource: (ctx, form, _client, _device, code) => show(ctx, confirmCode(form, code)),
        successSource: (ctx) => show(ctx, codeIsDone()),
      },
    },
  });
  provider.use(async (ctx, next) => {
    if (!ctx.path.startsWith('/interaction/')) {
      await next();
      // RFC 8628 section 3.2. The library leaves the interval out, and five seconds are long for those who only look.
      if (ctx.path === '/device/auth' && ctx.status === 200)
        Object.assign(ctx.body as object, { interval: 1 });
      return;
    }
    if (ctx.method === 'POST') {
      ctx.respond = false;
      await finish(provider, ctx.req, ctx.res);
      return;
    }
    show(ctx, askForName());
  });
  return provider;
}

function show(ctx: { type: string; body: unknown }, page: string): void {
  ctx.type = 'html';
  ctx.body = page;
}

/** Who logs in agrees to everything that is asked for. */
async function grantAll(ctx: KoaContextWithOIDC) {
  const { client, session, provider, params } = ctx.oidc;
  const grant = new provider.Grant({ clientId: client!.clientId, accountId: session!.accountId! });
  const scope = params?.['scope'];
  grant.addOIDCScope(typeof scope === 'string' ? scope : 'openid');
  await grant.save();
  return grant;
}

async function finish(provider: Provider, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const form = new URLSearchParams(await text(request));
  const accountId = form.get('name')?.trim() ?? '';
  const result = form.has('deny') || accountId === '' ? { error: 'access_denied' } : { login: { accountId } };
  await provider.interactionFinished(request, response, result);
}
