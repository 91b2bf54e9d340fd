/** The built gateway before a real provider for logins: every kind of mount, all on one account. */
import { randomBytes } from 'node:crypto';
import { freePort } from '../../../gateway/port.ts';
import { startGateway, type TestGateway } from '../../support/gateway.ts';
import { startLoginProvider, type TestLoginProvider } from '../../support/login-provider.ts';

export interface LoginSetting {
  readonly codeSeconds?: number;
  readonly threads?: number;
  /** What the two providers are called. */
  readonly names?: { readonly device: string; readonly web: string };
  /** Further providers, as YAML with four spaces before it. */
  readonly providers?: string;
}

export interface LoginSite {
  readonly gateway: TestGateway;
  readonly provider: TestLoginProvider;
  stop(): Promise<void>;
}

export const newKeyRing = (): string => `sallyport-key.v1.test.${randomBytes(32).toString('base64url')}`;

/** Two providers, of the flows `device` and `code`, at one issuer; the mounts are `/login` and `/oauth`. */
export async function startLoginSite({
  codeSeconds = 600,
  threads = 1,
  names = { device: 'device', web: 'web' },
  providers = '',
}: LoginSetting = {}): Promise<LoginSite> {
  const port = await freePort('127.0.0.1', 0);
  const callback = `http://127.0.0.1:${port}/login/callback`;
  const provider = await startLoginProvider({ clients: { cli: [], web: [callback] }, codeSeconds });
  const config = `version: 1
listener: { host: 127.0.0.1, port: ${port}, threads: ${threads} }
admin: { host: 127.0.0.1, port: 0 }
shutdown: { timeout_ms: 5000 }
routes:
  - { prefix: /login, public: true, oauth: { serve: page, account: team } }
  - { prefix: /oauth, public: true, oauth: { serve: json, account: team } }
oauth:
  store: { file: ./credentials, key_env: STORE_KEY }
  limits: { starts: 1000, starts_per_minute: 1000 }
  providers:
    ${names.device}: { flow: device, issuer: "${provider.issuer}", client_id: cli, scopes: [openid], interval_seconds_min: 1 }
    ${names.web}: { flow: code, issuer: "${provider.issuer}", client_id: web, scopes: [openid], redirect_uri: "${callback}" }
${providers}`;
  const gateway = await startGateway(config, { env: { STORE_KEY: newKeyRing() } }).catch(
    async (error: unknown) => {
      await provider.stop();
      throw error;
    },
  );
  return {
    gateway,
    provider,
    stop: async () => {
      await Promise.all([gateway.stop(), provider.stop()]);
    },
  };
}

/** A caller of the JSON mount, with a session of its own. */
export class Caller {
  readonly #base: string;
  readonly cookie: string;

  constructor(site: LoginSite, session = randomBytes(16).toString('base64url')) {
    this.#base = `${site.gateway.url}/oauth`;
    this.cookie = `sallyport=${session}`;
  }

  get(path: string, headers: Readonly<Record<string, string>> = {}): Promise<Response> {
    return fetch(`${this.#base}${path}`, { headers: { cookie: this.cookie, ...headers } });
  }

  post(path: string, body: unknown, headers: Readonly<Record<string, string>> = {}): Promise<Response> {
    return fetch(`${this.#base}${path}`, {
      method: 'POST',
      headers: { cookie: this.cookie, 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    });
  }

  async start(provider: string): Promise<StartAnswer> {
    return (await (await this.post('/start', { provider })).json()) as StartAnswer;
  }

  async poll(flowId: string, query = ''): Promise<StartAnswer> {
    return (await (await this.get(`/flows/${flowId}${query}`)).json()) as StartAnswer;
  }
}

export interface StartAnswer {
  readonly flow_id: string;
  readonly status: string;
  readonly role?: 'leader' | 'joiner';
  readonly error?: string;
  readonly provider?: string;
  readonly user_code: string;
  readonly authorization_uri: string;
  readonly expires_in: number;
}
