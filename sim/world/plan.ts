// A scenario as plain data: it is written by hand, stored in trace files, and made smaller by the shrinker.

import type { State } from '../../gateway/flight/control-word.ts';

/** What a provider may answer. Several entries are alternatives, and all are explored. */
export type Answer = 'ok' | 'fail' | 'slow' | 'silent' | 'oversized';

export interface StartPlan {
  readonly does: 'start';
  readonly key: number;
  readonly provider?: readonly Answer[];
  /** A payload is read by joiners; without it a start needs no block. */
  readonly payload?: boolean;
  readonly until?: 'published' | 'settled';
  readonly leases?: number;
  /** Whether a poller can be started; both are explored when both are given. */
  readonly spawn?: readonly boolean[];
  /** Follow a flow that this start leads: poll once, then persist. */
  readonly follow?: boolean;
  readonly persist?: readonly ('ok' | 'fail')[];
  /** Notifies of this thread may get lost. */
  readonly losesNotify?: boolean;
  /** How often it starts, one after the other. */
  readonly times?: number;
}

/** What a provider may answer to a refresh. */
export type RefreshAnswer =
  /** Renewed, and told at once. */
  | 'ok'
  /** Renewed at once, told when the lease has been renewed twice. */
  | 'late'
  /** Renewed at once; told after the lease, to a thread that could not move meanwhile. */
  | 'slow'
  /** Renewed, and the answer was lost. */
  | 'lost'
  /** Not renewed, for a passing reason. */
  | 'fail'
  /** Not renewed: the grant is gone. */
  | 'gone';

/** A request that needs the access token of the account: renews it when it is due, as key 0. */
export interface UsePlan {
  readonly does: 'use';
  readonly answers?: readonly RefreshAnswer[];
  readonly store?: readonly ('ok' | 'fail')[];
  readonly leases?: number;
  readonly times?: number;
}

/** A login of the account, from its start as key 1 to its end. */
export interface LoginPlan {
  readonly does: 'login';
  readonly store?: readonly ('ok' | 'fail')[];
}

/** The account that refreshes and logins are about. */
export interface VaultPlan {
  /** What is stored at the beginning, which is due. Default: nothing. */
  readonly stored?: boolean;
  /** Tokens before this version are due. */
  readonly dueBelow?: number;
  /** The provider renews for a refresh token that has a successor, too. */
  readonly lenient?: boolean;
  /** A leader may stall past its lease: then its successor may send what it has sent. */
  readonly stalls?: boolean;
}

export type ThreadPlan =
  | StartPlan
  | UsePlan
  | LoginPlan
  /** Cancels a generation, after looking at it; of a login, its leader is told as well. */
  | { readonly does: 'cancel'; readonly key: number; readonly generation: number }
  /** Polls a generation for its state. */
  | { readonly does: 'view'; readonly key: number; readonly generation: number }
  /** Sets the clock to each of these ticks in turn. */
  | { readonly does: 'clock'; readonly to: readonly number[] }
  /** Reaps a thread once it has crashed; at once, when it was gone before the beginning. */
  | { readonly does: 'reap'; readonly thread: number; readonly gone?: boolean }
  /** Takes a free thread record, then starts. */
  | { readonly does: 'enrol'; readonly key: number }
  /** Expires and purges over the whole table. */
  | { readonly does: 'sweep' }
  /** Follows a flow that the initial state holds, as its leader. */
  | { readonly does: 'complete'; readonly key: number; readonly persist?: readonly ('ok' | 'fail')[] }
  /** A spurious wake: a notify that nothing happened for. */
  | { readonly does: 'nudge'; readonly key: number };

/** What a key's slot holds at the beginning. */
export interface Preset {
  readonly key: number;
  readonly state: State;
  readonly generation: number;
  readonly owner: number;
  readonly deadline: number;
  /** Publish a payload with it, in the first free block. */
  readonly payload?: boolean;
}

export interface Plan {
  readonly threads: readonly ThreadPlan[];
  readonly keys: number;
  readonly slots?: number;
  readonly blocks?: number;
  readonly vault?: VaultPlan;
  /** Keys are bound to their slots beforehand, as they are from the second start on. */
  readonly bound?: boolean;
  /** collide: all keys share the high half of their digest · probe: same home slot · apart: each its own. */
  readonly digests?: 'apart' | 'probe' | 'collide';
  readonly presets?: readonly Preset[];
  readonly now?: number;
  readonly crash?: { readonly thread: number; readonly at: number };
  /** How many waits of each thread a timer may end at any moment. */
  readonly hasty?: number;
  /** Waits have no timer: notifies alone must do. */
  readonly untimed?: boolean;
  /** Parent of each thread record, where it is not nobody. */
  readonly parents?: Readonly<Record<number, number>>;
  /** The thread records taken; by default one for each thread. */
  readonly records?: number;
  /** Record the real-time order of calls, so that histories can be checked for linearizability. */
  readonly realTime?: boolean;
  /** Creations expected at the provider, by key, where they are certain. */
  readonly creations?: Readonly<Record<number, number>>;
  /** The clock takes any value: what is broken then is reported as I13. */
  readonly anyClock?: boolean;
  /** A start may wait for a flow longer than it wants to. */
  readonly mayWait?: boolean;
  /** A fresh start need not win afterwards: the table is full on purpose. */
  readonly mayRefuse?: boolean;
}
