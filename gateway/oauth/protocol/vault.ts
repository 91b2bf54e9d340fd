/**
 * What the protocols of this folder ask of the credential store, of the provider and of their thread, as effects: they are
 * generators without I/O, time or randomness, run by `../login.ts` and `../renewal.ts` in production, and by the
 * simulator over every interleaving with other threads.
 *
 * A grant is whatever is stored. Each effect is about one credential.
 */
import type { Fence } from './fence.ts';

export interface Stored<G> {
  readonly grant: G;
  /** The fence it was written under. */
  readonly fence: Fence;
}

/** Answer: `Stored`, null when there is nothing, `failed` when the store could not say. */
export interface ReadEffect {
  readonly type: 'read';
}

/**
 * Answer: what was there in that moment, or null; `failed` when it was not written. The store refuses to write over what
 * was written or deleted under a larger fence, and `update` where nothing is.
 */
export interface WriteEffect<G> {
  readonly type: 'write';
  readonly grant: G;
  readonly fence: Fence;
  readonly mode: 'replace' | 'update';
}

/** A protocol: it yields effects, is resumed with their answers, and returns its outcome. */
export type VaultScript<E, T> = Generator<E, T, unknown>;

export function* read<G>(): VaultScript<ReadEffect, Stored<G> | null | 'failed'> {
  return (yield { type: 'read' }) as Stored<G> | null | 'failed';
}

export function* write<G>(
  grant: G,
  fence: Fence,
  mode: 'replace' | 'update',
): VaultScript<WriteEffect<G>, Stored<G> | null | 'failed'> {
  return (yield { type: 'write', grant, fence, mode }) as Stored<G> | null | 'failed';
}

/** Runs a protocol in production. */
export async function runVault<E, T>(script: VaultScript<E, T>, perform: (effect: E) => unknown): Promise<T> {
  let step = script.next();
  while (step.done !== true) step = script.next(await perform(step.value));
  return step.value;
}
