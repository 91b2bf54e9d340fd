/** What crosses between a test and its provider for logins, and nothing else. */

/** How a path of the provider behaves. */
export type PathMode =
  | { readonly kind: 'serve' }
  | { readonly kind: 'fail'; readonly status: number }
  | { readonly kind: 'delay'; readonly delayMs: number };

/** With a path and a mode: sets it. Always answered with how things stand. */
export interface LoginProviderRequest {
  readonly ticket: number;
  readonly path?: string;
  readonly mode?: PathMode;
}

export interface LoginProviderReply {
  readonly ticket: number;
  readonly issuer: string;
  /** Requests so far by path, whatever they were answered with. */
  readonly calls: Readonly<Record<string, number>>;
}
