/** A real OpenID provider for tests, in a process of its own. Its warnings are kept, and shown only if it does not start. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import type { SigningAlgorithm } from '../../examples/demo/oidc.ts';
import { built } from './built.ts';
import type {
  EndpointMode,
  ProviderCommand,
  ProviderReply,
  ProviderRequest,
  ProviderState,
} from './provider-messages.ts';

export interface ProviderSetting {
  readonly audience: string;
  /** Client id and the scopes it may ask for; the id is also the subject of its tokens. */
  readonly clients: Readonly<Record<string, readonly string[]>>;
  /** What its access tokens are. Default: JWTs. */
  readonly form?: 'jwt' | 'opaque';
}

/** Starts a provider with one RS256 key. The caller stops it. */
export async function startProvider(setting: ProviderSetting): Promise<TestProvider> {
  const child = fork(
    built('test/support/provider-process.js'),
    [setting.audience, JSON.stringify(setting.clients), setting.form ?? 'jwt'],
    {
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    },
  );
  const complaints = text(child.stderr!);
  const first = await Promise.race([once(child, 'message'), once(child, 'exit').then(() => null)]);
  if (first === null) throw new Error(`the provider did not start\n${await complaints}`);
  return new TestProvider(child, (first[0] as ProviderReply).state.issuer, setting);
}

export class TestProvider {
  readonly issuer: string;
  readonly #child: ChildProcess;
  readonly #setting: ProviderSetting;
  readonly #waiting = new Map<number, (state: ProviderState) => void>();
  #tickets = 0;

  constructor(child: ChildProcess, issuer: string, setting: ProviderSetting) {
    this.issuer = issuer;
    this.#child = child;
    this.#setting = setting;
    child.on('message', ({ ticket, state }: ProviderReply) => {
      this.#waiting.get(ticket)?.(state);
      this.#waiting.delete(ticket);
    });
  }

  /** An access token for a client; without `scopes` for all it may ask for. RFC 6749 section 4.4. */
  async token(client: string, scopes = this.#setting.clients[client]!): Promise<string> {
    const response = await fetch(`${this.issuer}/token`, {
      method: 'POST',
      headers: { authorization: `Basic ${btoa(`${client}:${client}-secret`)}` },
      body: new URLSearchParams({ grant_type: 'client_credentials', scope: scopes.join(' ') }),
    });
    const answer = (await response.json()) as { access_token?: string };
    if (answer.access_token === undefined)
      throw new Error(`no token: ${response.status} ${JSON.stringify(answer)}`);
    return answer.access_token;
  }

  /** Publishes a further key, which signs from now on. Returns its kid. */
  async addKey(algorithm: SigningAlgorithm): Promise<string> {
    return (await this.#command({ kind: 'add-key', algorithm })).kids.at(-1)!;
  }

  async dropKey(kid: string): Promise<void> {
    await this.#command({ kind: 'drop-key', kid });
  }

  /** RFC 7009. */
  async revoke(client: string, token: string): Promise<void> {
    const response = await fetch(`${this.issuer}/token/revocation`, {
      method: 'POST',
      headers: { authorization: `Basic ${btoa(`${client}:${client}-secret`)}` },
      body: new URLSearchParams({ token }),
    });
    if (!response.ok) throw new Error(`not revoked: ${response.status} ${await response.text()}`);
  }

  async setIntrospectionMode(mode: EndpointMode): Promise<void> {
    await this.#command({ kind: 'introspection-mode', mode });
  }

  async setKeysMode(mode: EndpointMode): Promise<void> {
    await this.#command({ kind: 'keys-mode', mode });
  }

  state(): Promise<ProviderState> {
    return this.#command({ kind: 'state' });
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.kill('SIGKILL');
    await once(this.#child, 'exit');
  }

  #command(command: ProviderCommand): Promise<ProviderState> {
    this.#tickets += 1;
    const ticket = this.#tickets;
    return new Promise((resolve) => {
      this.#waiting.set(ticket, resolve);
      this.#child.send({ ticket, command } satisfies ProviderRequest);
    });
  }
}
