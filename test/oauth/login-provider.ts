/** The provider of `login-provider-process.ts`, as a test has it. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { built } from '../support/built.ts';

export interface ControlState {
  /** Requests by path. */
  readonly counts: Readonly<Record<string, number>>;
  /** Token requests by grant type. */
  readonly grants: Readonly<Record<string, number>>;
  readonly revokedGrants: number;
}

export async function startLoginProvider(): Promise<LoginProvider> {
  const child = fork(built('test/oauth/login-provider-process.js'), {
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  const complaints = text(child.stderr!);
  const first = await Promise.race([once(child, 'message'), once(child, 'exit').then(() => null)]);
  if (first === null) throw new Error(`the provider did not start\n${await complaints}`);
  return new LoginProvider(child, (first[0] as { readonly issuer: string }).issuer);
}

export class LoginProvider {
  readonly issuer: string;
  readonly #child: ChildProcess;

  constructor(child: ChildProcess, issuer: string) {
    this.#child = child;
    this.issuer = issuer;
  }

  approve(userCode: string): Promise<ControlState> {
    return this.#control('approve', { user_code: userCode });
  }

  deny(userCode: string): Promise<ControlState> {
    return this.#control('deny', { user_code: userCode });
  }

  accessTokenSeconds(value: number): Promise<ControlState> {
    return this.#control('access-token-seconds', { value: String(value) });
  }

  refreshDelayMs(value: number): Promise<ControlState> {
    return this.#control('refresh-delay-ms', { value: String(value) });
  }

  state(): Promise<ControlState> {
    return this.#control('state', {});
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.kill('SIGKILL');
    await once(this.#child, 'exit');
  }

  async #control(verb: string, parameters: Readonly<Record<string, string>>): Promise<ControlState> {
    const query = new URLSearchParams(parameters).toString();
    const response = await fetch(`${this.issuer}/control/${verb}?${query}`);
    if (!response.ok) throw new Error(`the provider answered ${response.status}`);
    return (await response.json()) as ControlState;
  }
}
