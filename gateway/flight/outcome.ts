/** What a start asks for, and the closed set of its answers. */
import type { Digest } from './binding.ts';
import type { Hold } from './effects.ts';
import type { Payload } from './payload.ts';

export interface Start {
  readonly digest: Digest;
  /** Whether joiners get a payload: a block is set aside for it before the provider is called. */
  readonly payload: boolean;
  /** What answers a start: the published flow, or only its end. */
  readonly until: 'published' | 'settled';
  /** How long to wait for another leader. */
  readonly waitTicks: number;
  /** How many leases the provider call may take, each renewed in time; 1 = no renewal. */
  readonly leases: number;
}

export type Outcome =
  /** This start made the flow. */
  | { readonly kind: 'led'; readonly hold: Hold; readonly payload: Payload | null }
  /** Another start made it. `hold.word` is its state as it was when this start was answered. */
  | { readonly kind: 'joined'; readonly hold: Hold; readonly payload: Payload | null }
  /** It failed: here (`shared` false) or under another start. */
  | {
      readonly kind: 'failed';
      readonly slot: number;
      readonly generation: number;
      readonly code: number;
      readonly shared: boolean;
    }
  /** No slot for this key. */
  | { readonly kind: 'full' }
  /** The deadline came before the leader's answer. */
  | { readonly kind: 'waited-out' }
  /** Other threads were faster too many times. */
  | { readonly kind: 'contended' };
