/** Storing what a login was granted, under COMMITTING: a cancel that comes in time takes it back. */
import { type Fence, loginFence } from './fence.ts';
import { read, type ReadEffect, type VaultScript, write, type WriteEffect } from './vault.ts';

export type LoginEffect<G> =
  | ReadEffect
  | WriteEffect<G>
  /** Deletes what was written under exactly this fence. Answer: whether the store could do as asked. */
  | { readonly type: 'delete'; readonly fence: Fence }
  /** Answer: whether this flow has been cancelled, as far as this thread has heard. `isStored`: after the write. */
  | { readonly type: 'isCancelled'; readonly isStored: boolean };

export type StoredLogin = 'stored' | 'cancelled' | 'failed';

/** `flightFence` is that of the flight which the caller leads. */
export function* storeLogin<G>(grant: G, flightFence: bigint): VaultScript<LoginEffect<G>, StoredLogin> {
  if (yield* isCancelled<G>(false)) return 'cancelled';
  const before = yield* read<G>();
  if (before === 'failed') return 'failed';
  const fence = loginFence(flightFence, before?.fence ?? null);
  // What is put back is what was there when it was replaced: a refresh may have been here since it was read.
  const replaced = yield* write(grant, fence, 'replace');
  if (replaced === 'failed') return 'failed';
  // Nothing comes between this look and the end of the flow but the driver's next step.
  if (!(yield* isCancelled<G>(true))) return 'stored';
  const isTakenBack =
    replaced === null
      ? ((yield { type: 'delete', fence }) as boolean)
      : (yield* write(replaced.grant, fence, 'update')) !== 'failed';
  return isTakenBack ? 'cancelled' : 'failed';
}

function* isCancelled<G>(isStored: boolean): VaultScript<LoginEffect<G>, boolean> {
  return (yield { type: 'isCancelled', isStored }) as boolean;
}
