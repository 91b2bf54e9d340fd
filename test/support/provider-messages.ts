/** What crosses between a test and its provider process, and nothing else. */
import type { SigningAlgorithm } from '../../examples/demo/oidc.ts';

/** How the key set endpoint behaves: as it should, with a 500, or with no answer at all. */
export type KeysMode = 'serve' | 'fail' | 'hang';

export interface ProviderState {
  readonly issuer: string;
  /** Published keys, in order; the last one signs. */
  readonly kids: readonly string[];
  /** Requests for the key set so far, whatever they were answered with. */
  readonly keysFetches: number;
}

export type ProviderCommand =
  /** Publishes a further key and signs with it. */
  | { readonly kind: 'add-key'; readonly algorithm: SigningAlgorithm }
  /** Stops publishing a key. */
  | { readonly kind: 'drop-key'; readonly kid: string }
  | { readonly kind: 'keys-mode'; readonly mode: KeysMode }
  | { readonly kind: 'state' };

export interface ProviderRequest {
  readonly ticket: number;
  readonly command: ProviderCommand;
}

export interface ProviderReply {
  readonly ticket: number;
  readonly state: ProviderState;
}
