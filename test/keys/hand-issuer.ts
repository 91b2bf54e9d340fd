/** An issuer on the other side of `fetchDocument`, without a network, and a keyring on hand time. */
import { Keyring } from '../../gateway/keys/keyring.ts';
import type { FetchDocument, FetchRequest } from '../../gateway/keys/fetcher.ts';
import { countSubtleCalls, HandTime } from '../token/hand-time.ts';

countSubtleCalls();

interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export class HandIssuer {
  readonly requests: { readonly url: string; readonly request: FetchRequest }[] = [];
  /** What is answered to a URL; an Error is thrown. */
  readonly pages = new Map<string, Answer | Error>();
  /** While set, answers wait for it. */
  gate: Promise<void> | null = null;

  readonly fetch: FetchDocument = async (url, request) => {
    this.requests.push({ url, request });
    await this.gate;
    const answer = this.pages.get(url) ?? new Error('unreachable');
    if (answer instanceof Error) throw answer;
    const { status, headers = {}, body = '' } = answer;
    const etag = headers['etag'];
    if (etag !== undefined && request.headers['if-none-match'] === etag) {
      return { status: 304, headers: new Map(), body: Buffer.alloc(0) };
    }
    return { status, headers: new Map(Object.entries(headers)), body: Buffer.from(body) };
  };

  publish(url: string, body: string, headers: Readonly<Record<string, string>> = {}): void {
    this.pages.set(url, { status: 200, body, headers });
  }
}

export interface KeyringBench {
  readonly keyring: Keyring;
  readonly issuer: HandIssuer;
  readonly time: HandTime;
  readonly told: string[];
  readonly files: Map<string, string>;
  readonly environment: Map<string, string>;
  /** Reports a change in a folder. */
  readonly touch: (folder: string) => void;
  /** kids in force, by issuer. */
  kids(): (string | null)[][];
}

export function openKeyring(random: () => number = () => 0.5): KeyringBench {
  const time = new HandTime();
  const issuer = new HandIssuer();
  const told: string[] = [];
  const files = new Map<string, string>();
  const environment = new Map<string, string>();
  const watchers = new Map<string, () => void>();
  const keyring = new Keyring({
    fetch: issuer.fetch,
    clock: time.clock,
    timers: time.timers,
    random,
    environment: (name) => environment.get(name),
    readFile: async (path, bytesMax) => {
      const text = files.get(path);
      if (text === undefined) throw new Error('no such file');
      if (text.length > bytesMax) throw new Error('too large');
      return Buffer.from(text);
    },
    watchFolder: (folder, onChange) => {
      watchers.set(folder, onChange);
      return () => watchers.delete(folder);
    },
    observer: {
      keysFetched: (name, outcome) => told.push(`fetched ${name} ${outcome}`),
      unknownKid: (name, outcome) => told.push(`unknown ${name} ${outcome}`),
    },
  });
  return {
    keyring,
    issuer,
    time,
    told,
    files,
    environment,
    touch: (folder) => watchers.get(folder)?.(),
    kids: () => keyring.keys().map((keys) => (keys ?? []).map(({ kid }) => kid)),
  };
}
