/**
 * The fences under which credentials are written. Logins and refreshes of one credential are flights of two keys, each
 * with fences of its own; joined to one number they order all writers:
 *
 * ```
 *   159                      80 79                       0
 *  ┌───────────────────────────┬──────────────────────────┐
 *  │ flight fence of the login │ flight fence of the last │
 *  │                           │ refresh; 0 for a login   │
 *  └───────────────────────────┴──────────────────────────┘
 * ```
 *
 * A later login is larger than every refresh of the grant before it; a refresh is larger than the login whose grant it
 * renews, and smaller than the next login: a slow refresh never overwrites a new login.
 */
import type { Fence } from './credential.ts';

const refreshBits = 80n;
const refreshMask = (1n << refreshBits) - 1n;

/** The fence of a login. `flightFence` is that of its flight, below 2^80. */
export function loginFence(flightFence: bigint): Fence {
  return (flightFence & refreshMask) << refreshBits;
}

/** The fence of a refresh of what was written under `written`. */
export function refreshFence(written: Fence, flightFence: bigint): Fence {
  return ((written >> refreshBits) << refreshBits) | (flightFence & refreshMask);
}
