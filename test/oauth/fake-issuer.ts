/** A provider that answers what a test tells it to, without a network: the `fetch` that the broker is handed. */
import type { Timers } from '../../gateway/flight/timers.ts';
import type { OauthFetch, OauthRequest } from '../../gateway/upstream/oauth-fetch.ts';
import { FetchError } from '../../gateway/upstream/fetch.ts';

/** As the configuration has it by default. */
const timeoutMs = 10_000;

export const issuer = 'https://issuer.example';

export interface SeenCall {
  readonly path: string;
  readonly form: URLSearchParams;
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
  /** By the hand clock. */
  readonly atMs: number;
}

export interface Reply {
  readonly status?: number;
  readonly json: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export const pending: Reply = { status: 400, json: { error: 'authorization_pending' } };
export const refusal = (error: string): Reply => ({ status: 400, json: { error } });
export const tokens = (name: string, expiresIn = 3600): Reply => ({
  json: {
    access_token: `access-${name}`,
    refresh_token: `refresh-${name}`,
    token_type: 'Bearer',
    expires_in: expiresIn,
  },
});
/** Stands for a connection that broke. */
export const broken = 'broken';

export type Answer = Reply | typeof broken;

export class FakeIssuer {
  readonly calls: SeenCall[] = [];
  readonly #timers: { readonly nowMs: number } & Timers;
  readonly #scripts = new Map<string, Answer[]>();
  readonly #usual = new Map<string, Answer>();
  readonly #rules = new Map<string, (form: URLSearchParams) => Answer>();
  readonly #held = new Map<string, Promise<void>>();
  #devices = 0;

  constructor(timers: { readonly nowMs: number } & Timers) {
    this.#timers = timers;
    this.always('/token', pending);
  }

  /** What a path answers when nothing else was scripted. */
  always(path: string, answer: Answer): void {
    this.#usual.set(path, answer);
  }

  /** Lets a function answer a path, when nothing was scripted. */
  rule(path: string, answer: (form: URLSearchParams) => Answer): void {
    this.#rules.set(path, answer);
  }

  /** The next answers of a path, one call each. */
  next(path: string, ...answers: readonly Answer[]): void {
    this.#scripts.set(path, [...(this.#scripts.get(path) ?? []), ...answers]);
  }

  /** Answers of this path wait until what is returned is called. */
  hold(path: string): () => void {
    let open = (): void => {};
    this.#held.set(path, new Promise((resolve) => (open = resolve)));
    return () => {
      this.#held.delete(path);
      open();
    };
  }

  callsTo(path: string): SeenCall[] {
    return this.calls.filter((call) => call.path === path);
  }

  readonly fetch: OauthFetch = async (url, { headers, body }: OauthRequest) => {
    const path = new URL(url).pathname;
    const text = body?.toString() ?? '';
    this.calls.push({ path, form: new URLSearchParams(text), body: text, headers, atMs: this.#timers.nowMs });
    const held = this.#held.get(path);
    if (held !== undefined) await this.#patiently(path, held);
    const scripted = this.#scripts.get(path)?.shift();
    const rule = scripted === undefined ? this.#rules.get(path) : undefined;
    const usual = rule === undefined ? this.#usual.get(path) : rule(new URLSearchParams(text));
    const answer = scripted ?? usual ?? this.#made(path);
    if (answer === broken) throw new FetchError('unreachable', `${path}: the connection broke`);
    return Response.json(answer.json, { status: answer.status ?? 200, headers: { ...answer.headers } });
  };

  /** As the real fetch does, gives up after a while: the request has then not been heard. */
  #patiently(path: string, held: Promise<void>): Promise<void> {
    return new Promise((resolve, reject) => {
      const callOff = this.#timers.once(timeoutMs, () =>
        reject(new FetchError('timeout', `${path}: no answer`)),
      );
      void held.then(callOff).then(resolve);
    });
  }

  #made(path: string): Reply {
    switch (path) {
      case '/.well-known/openid-configuration':
        return {
          json: {
            issuer,
            authorization_endpoint: `${issuer}/authorize`,
            device_authorization_endpoint: `${issuer}/device`,
            token_endpoint: `${issuer}/token`,
            authorization_response_iss_parameter_supported: true,
          },
        };
      case '/device':
        this.#devices += 1;
        return {
          json: {
            device_code: `device-secret-${this.#devices}`,
            user_code: `CODE-${this.#devices}`,
            verification_uri: `${issuer}/activate`,
            expires_in: 600,
            interval: 5,
          },
        };
      default:
        return { status: 404, json: {} };
    }
  }
}
