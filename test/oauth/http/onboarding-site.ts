/** The built gateway with the compatibility mount, as one would put it in the place of the original. */
import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startGateway, type TestGateway } from '../../support/gateway.ts';
import { CodexServer, secrets } from './codex-server.ts';
import { newKeyRing } from './login-gateway.ts';

export interface OnboardingSetting {
  /** The limits of logins, as YAML; generous by default. */
  readonly limits?: string;
  /** Further top-level sections or settings of the file. */
  readonly more?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Settings of the listener. */
  readonly listener?: string;
  /** Further routes, as YAML list items with two spaces before them. */
  readonly routes?: string;
}

export interface OnboardingSite {
  readonly gateway: TestGateway;
  readonly codex: CodexServer;
  /** Where the credentials lie. */
  readonly storeFolder: string;
  /** The plain copy that other programs read. */
  authFile(account: string): string;
  /** The other program logs in; `logOut` undoes it. */
  logInElsewhere(): void;
  logOutElsewhere(): void;
  stop(): Promise<void>;
}

/**
 * The mount is at `/api/onboarding/oauth` for the account `team`, and at `/NAME/api/onboarding/oauth` for every other
 * account; `/NAME/oauth` are the JSON endpoints of the same account, which tell what is stored.
 */
export const accounts = ['team', 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j'] as const;
export type Account = (typeof accounts)[number];

const prefixOf = (account: Account): string => (account === 'team' ? '' : `/${account}`);

export async function startOnboardingSite(setting: OnboardingSetting = {}): Promise<OnboardingSite> {
  const {
    limits = '{ starts: 10000, starts_per_minute: 10000 }',
    more = '',
    listener = '',
    routes = '',
  } = setting;
  const codex = await CodexServer.start();
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-onboarding-'));
  const storeFolder = join(folder, 'credentials');
  const authFile = (account: string): string => join(folder, `${account}-auth.json`);
  const claudeFile = join(folder, 'claude.json');
  const mounts = accounts.map(
    (
      account,
    ) => `  - { prefix: ${prefixOf(account)}/api/onboarding/oauth, public: true, oauth: { serve: onboarding, account: ${account} } }
  - { prefix: /${account}/oauth, public: true, oauth: { serve: json, account: ${account} } }`,
  );
  const gateway = await startGateway(
    `version: 1
listener: { host: 127.0.0.1, port: 0, threads: 1${listener} }
admin: { host: 127.0.0.1, port: 0 }
shutdown: { timeout_ms: 5000 }
routes:
${mounts.join('\n')}
${routes}
oauth:
  store: { file: "${storeFolder}", key_env: STORE_KEY, auth_json: { file: "${authFile('{account}')}", providers: { openai-codex: { name: openai-codex } } } }
  limits: ${limits}
  providers:
    openai-codex:
      flow: device_pkce
      client_id: app
      endpoints:
        device_authorization: ${codex.url}/api/accounts/deviceauth/usercode
        device_token: ${codex.url}/api/accounts/deviceauth/token
        token: ${codex.url}/oauth/token
      verification_uri: https://auth.openai.com/codex/device
      redirect_uri: https://auth.openai.com/deviceauth/callback
      interval_seconds_min: 1
    anthropic:
      flow: linked
      aliases: [claude, claude-code]
      linked:
        file: "${claudeFile}"
        access_token: [claudeAiOauth, accessToken]
        refresh_token: [claudeAiOauth, refreshToken]
        expires_at: [claudeAiOauth, expiresAt]
        instruction: Run 'claude login' or 'claude setup-token' on the host of this gateway.
${more}`,
    { env: { STORE_KEY: newKeyRing(), ...setting.env } },
  );
  return {
    gateway,
    codex,
    storeFolder,
    authFile,
    logInElsewhere: () => {
      const { accessToken, refreshToken } = secrets;
      writeFileSync(
        claudeFile,
        JSON.stringify({ claudeAiOauth: { accessToken, refreshToken, expiresAt: 4e12 } }),
      );
    },
    logOutElsewhere: () => rmSync(claudeFile, { force: true }),
    stop: async () => {
      await Promise.all([gateway.stop(), codex.stop()]);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** All files of the store. */
export function filesIn(folder: string): readonly string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

export type Body = Readonly<Record<string, unknown>>;

export interface Told {
  readonly status: number;
  readonly body: Body;
}

/** A browser or program before the compatibility mount, with a session of its own. */
export class Client {
  readonly #url: string;
  readonly #account: Account;
  readonly #cookie = `sallyport=${randomBytes(16).toString('base64url')}`;

  constructor(site: OnboardingSite, account: Account = 'team') {
    this.#url = site.gateway.url;
    this.#account = account;
  }

  start(provider: unknown, headers: Readonly<Record<string, string>> = {}): Promise<Told> {
    return this.call('POST', '/start', { provider }, headers);
  }

  poll(flowId: unknown): Promise<Told> {
    return this.call('GET', `/poll?flow_id=${String(flowId)}`);
  }

  cancel(flowId: unknown, provider?: string): Promise<Told> {
    return this.call('POST', '/cancel', { flow_id: flowId, provider });
  }

  async call(
    method: string,
    path: string,
    body?: unknown,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Told> {
    const answer = await fetch(`${this.#url}${prefixOf(this.#account)}/api/onboarding/oauth${path}`, {
      method,
      headers: {
        cookie: this.#cookie,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      body: body === undefined ? null : JSON.stringify(body),
    });
    if (answer.headers.get('cache-control') !== 'no-store') throw new Error('an answer that may be stored');
    return { status: answer.status, body: (await answer.json()) as Body };
  }

  /** What is stored for the account: `none`, `valid`, … */
  async credential(provider: string): Promise<string> {
    const answer = await fetch(`${this.#url}/${this.#account}/oauth/flows`, {
      headers: { cookie: this.#cookie },
    });
    const { logins } = (await answer.json()) as { logins: { provider: string; credential: string }[] };
    return logins.find((login) => login.provider === provider)!.credential;
  }
}
