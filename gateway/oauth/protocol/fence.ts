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
 *  flight fence: epoch of the table | generation: 25        (`flight/table.ts`)
 * ```
 *
 * A later login is larger than every refresh of the grant before it; a refresh is larger than the login whose grant it
 * renews, and smaller than the next login: a slow refresh never overwrites a new login.
 *
 * When the clock of the host was set back between two processes, the later one would have the smaller epochs, and could
 * not write until time has caught up. So a fence of an epoch that is still to come is only counted on from.
 */

/** Orders the writers of one credential: a larger fence is a later one. Not negative, below 2^160. */
export type Fence = bigint;

const halfBits = 80n;
const halfMask = (1n << halfBits) - 1n;
const generationBits = 25n;

/** The fence of a login, in the place of what was `written` before. `flightFence` is that of its flight. */
export function loginFence(flightFence: bigint, written: Fence | null): Fence {
  const former = written === null ? 0n : written >> halfBits;
  return after(former, flightFence) << halfBits;
}

/** The fence of a refresh of what was `written`. */
export function refreshFence(flightFence: bigint, written: Fence): Fence {
  return ((written >> halfBits) << halfBits) | after(written & halfMask, flightFence);
}

/** Within an epoch the flight's own fence, so that a late writer stays late. */
function after(former: bigint, flightFence: bigint): bigint {
  const isAhead = former >> generationBits > flightFence >> generationBits;
  return isAhead ? former + 1n : flightFence;
}
