/** What crosses between a test and its provider process, and nothing else. */
import type { SigningAlgorithm } from '../../examples/demo/oidc.ts';

/** How the endpoint of the key set, or of introspection, behaves: as it should, with a 500, or with no answer at all. */
export type EndpointMode = 'serve' | 'fail' | 'hang';

export interface ProviderState {
  readonly issuer: string;
  /** Published keys, in order; the last one signs. */
  readonly kids: readonly string[];
  /** Requests for the key set so far, whatever they were answered with. */
  readonly keysFetches: number;
  /** Questions about opaque tokens so far, whatever they were answered with. */
  readonly introspections: number;
}

export type ProviderCommand =
  /** Publishes a further key and signs with it. */
  | { readonly kind: 'add-key'; readonly algorithm: SigningAlgorithm }
  /** Stops publishing a key. */
  | { readonly kind: 'drop-key'; readonly kid: string }
  | { readonly kind: 'keys-mode'; readonly mode: EndpointMode }
  | { readonly kind: 'introspection-mode'; readonly mode: EndpointMode }
  | { readonly kind: 'state' };

export interface ProviderRequest {
  readonly ticket: number;
  readonly command: ProviderCommand;
}

export interface ProviderReply {
  readonly ticket: number;
  readonly state: ProviderState;
}
