/** A real OpenID provider where people log in, for tests, in a process of its own. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { built } from './built.ts';
import type { LoginProviderReply, LoginProviderRequest, PathMode } from './login-provider-messages.ts';

export interface LoginProviderSetting {
  /** Client id → addresses that browsers may be sent back to. Clients have no secret. */
  readonly clients: Readonly<Record<string, readonly string[]>>;
  readonly codeSeconds?: number;
  readonly tokenSeconds?: number;
}

/** Its paths, as `oidc-provider` names them. */
export const loginPaths = {
  deviceAuthorization: '/device/auth',
  token: '/token',
  device: '/device',
} as const;

/** Starts a provider. The caller stops it. */
export async function startLoginProvider(setting: LoginProviderSetting): Promise<TestLoginProvider> {
  const { clients, codeSeconds = 600, tokenSeconds = 3600 } = setting;
  const child = fork(
    built('test/support/login-provider-process.js'),
    [JSON.stringify(clients), String(codeSeconds), String(tokenSeconds)],
    { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] },
  );
  const complaints = text(child.stderr!);
  const first = await Promise.race([once(child, 'message'), once(child, 'exit').then(() => null)]);
  if (first === null) throw new Error(`the provider did not start\n${await complaints}`);
  return new TestLoginProvider(child, (first[0] as LoginProviderReply).issuer);
}

export class TestLoginProvider {
  readonly issuer: string;
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, (reply: LoginProviderReply) => void>();
  #tickets = 0;

  constructor(child: ChildProcess, issuer: string) {
    this.issuer = issuer;
    this.#child = child;
    child.on('message', (reply: LoginProviderReply) => {
      this.#waiting.get(reply.ticket)?.(reply);
      this.#waiting.delete(reply.ticket);
    });
  }

  /** Requests to a path so far. */
  async calls(path: string): Promise<number> {
    return (await this.#ask({})).calls[path] ?? 0;
  }

  async setMode(path: string, mode: PathMode): Promise<void> {
    await this.#ask({ path, mode });
  }

  /** Plays the user of a device: enters the code, confirms or denies it, and says who they are (RFC 8628 section 3.3). */
  async enterCode(userCode: string, does: 'approve' | 'deny'): Promise<void> {
    const user = new CookieUser(this.issuer);
    const page = await user.post('/device', {
      xsrf: xsrfOf(await user.get('/device')),
      user_code: userCode,
    });
    const choice = does === 'approve' ? { confirm: 'yes' } : { abort: 'yes' };
    const next = await user.post('/device', { xsrf: xsrfOf(page), user_code: userCode, ...choice });
    if (does === 'deny') return;
    if (!next.includes('Who are you?')) throw new Error(`no login was asked for\n${next}`);
    const done = await user.post(user.path, { name: 'alice' });
    if (!done.includes('Done')) throw new Error(`the code was not accepted\n${done}`);
  }

  /** Plays the browser of a code flow: goes to the provider, logs in or denies, and returns where it is sent back to. */
  async authorize(authorizationUri: string, does: 'approve' | 'deny'): Promise<string> {
    const user = new CookieUser(this.issuer);
    await user.get(authorizationUri);
    await user.post(user.path, does === 'approve' ? { name: 'alice' } : { deny: 'yes' });
    if (user.left === null) throw new Error('the provider sent the browser nowhere');
    return user.left;
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.kill('SIGKILL');
    await once(this.#child, 'exit');
  }

  #ask(request: Omit<LoginProviderRequest, 'ticket'>): Promise<LoginProviderReply> {
    this.#tickets += 1;
    const ticket = this.#tickets;
    return new Promise((resolve) => {
      this.#waiting.set(ticket, resolve);
      this.#child.send({ ticket, ...request } satisfies LoginProviderRequest);
    });
  }
}

function xsrfOf(page: string): string {
  const found = /name="xsrf" value="([^"]+)"/.exec(page)?.[1];
  if (found === undefined) throw new Error(`no form on the page\n${page}`);
  return found;
}

/** A browser without scripts that stays at one site: keeps cookies, follows redirects, stops where they lead elsewhere. */
class CookieUser {
  readonly #origin: string;
  readonly #cookies = new Map<string, string>();
  path = '/';
  /** Where it was sent away to. */
  left: string | null = null;

  constructor(origin: string) {
    this.#origin = origin;
  }

  get(address: string): Promise<string> {
    return this.#go(address, null);
  }

  post(address: string, fields: Readonly<Record<string, string>>): Promise<string> {
    return this.#go(address, new URLSearchParams(fields));
  }

  async #go(address: string, form: URLSearchParams | null): Promise<string> {
    let at = new URL(address, this.#origin);
    let body = form;
    for (let hops = 0; hops < 10; hops++) {
      this.path = at.pathname + at.search;
      const response = await fetch(at, {
        method: body === null ? 'GET' : 'POST',
        body,
        redirect: 'manual',
        headers: { cookie: [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ') },
      });
      for (const cookie of response.headers.getSetCookie()) this.#keep(cookie);
      const page = await response.text();
      const location = response.headers.get('location');
      if (location === null) return page;
      at = new URL(location, at);
      body = null;
      if (at.origin !== this.#origin) {
        this.left = at.href;
        return page;
      }
    }
    throw new Error('redirected without end');
  }

  #keep(cookie: string): void {
    const [, name = '', value = ''] = /^([^=;]+)=([^;]*)/.exec(cookie) ?? [];
    if (value === '') this.#cookies.delete(name);
    else this.#cookies.set(name, value);
  }
}
