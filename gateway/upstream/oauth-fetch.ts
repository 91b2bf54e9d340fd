/**
 * The `fetch` that the OAuth library is handed: one bounded request each, as `fetch.ts` does them, in the types of the web
 * platform. Nothing of a request or an answer is logged or kept here.
 */
import { fetchDocument } from './fetch.ts';

export interface OauthFetchOptions {
  readonly timeoutMs: number;
  readonly allowHttp: boolean;
}

/** What the library hands over with an address. */
export interface OauthRequest {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: URLSearchParams | string | null | undefined;
  readonly signal?: AbortSignal | undefined;
}

export type OauthFetch = (url: string, request: OauthRequest) => Promise<Response>;

/** The largest answer that is read. Discovery documents are a few KiB, tokens less. */
const bytesMax = 262_144;
/** Statuses of answers without a body (Fetch standard, "null body status"). */
const bodyless: ReadonlySet<number> = new Set([204, 205, 304]);

/** Errors of the fetch: `FetchError`, always. */
export function createOauthFetch({ timeoutMs, allowHttp }: OauthFetchOptions): OauthFetch {
  return async (url, { method, headers, body, signal }) => {
    const { status, ...document } = await fetchDocument(url, {
      headers,
      timeoutMs,
      bytesMax,
      allowHttp,
      signal,
      ...(method === 'GET' ? {} : { body: body?.toString() ?? '' }),
    });
    return new Response(bodyless.has(status) ? null : new Uint8Array(document.body), {
      status,
      headers: [...document.headers],
    });
  };
}
