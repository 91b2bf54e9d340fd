// One account: its credential in the store, its grant at the provider, and the messages of its brokers, as words of the
// model; and the work of its refreshes and logins, whose protocols are the shipped ones (gateway/oauth/protocol).

import type { Fence } from '../../gateway/oauth/protocol/fence.ts';
import type { Refreshed, RenewalEffect, RenewalTerms } from '../../gateway/oauth/protocol/renew.ts';
import { renew, storeRenewed } from '../../gateway/oauth/protocol/renew.ts';
import { storeLogin, type LoginEffect } from '../../gateway/oauth/protocol/store-login.ts';
import type { Stored, VaultScript } from '../../gateway/oauth/protocol/vault.ts';
import { TICK_MS } from '../../gateway/flight/cells.ts';
import { generationOf } from '../../gateway/flight/control-word.ts';
import type { Hold } from '../../gateway/flight/effects.ts';
import type { Door } from '../engine/program.ts';
import type { RefreshAnswer, VaultPlan } from './plan.ts';

export const VAULT_WORDS = 4;
const NAMES = ['RECORD', 'GRANT', 'KEPT', 'CANCEL'] as const;

/** Tokens by number: those of a login begin at 256 times its generation, and each refresh makes the next. */
export interface Tokens {
  readonly version: number;
  readonly refused: boolean;
}

export const firstOfLogin = (generation: number): number => generation * 0x100;

/** Of the same login, and granted later. */
export const isSuccessor = (version: number, of: number): boolean => version > of && version >> 8 === of >> 8;

/** The protocols under test: the shipped ones, or one with a deliberate bug. */
export interface Protocols {
  readonly renew: typeof renew<Tokens, null>;
  readonly storeRenewed: typeof storeRenewed<Tokens>;
  readonly storeLogin: typeof storeLogin<Tokens>;
  /** Whether the store compares fences. */
  readonly comparesFences: boolean;
  /** Whether the leader waits for the store before it uses what it was granted. */
  readonly waitsForStore: boolean;
  /** Whether a leader that lost its lease stores what it was granted. */
  readonly storesLate: boolean;
}

export const shippedProtocols: Protocols = {
  renew,
  storeRenewed,
  storeLogin,
  comparesFences: true,
  waitsForStore: true,
  storesLate: true,
};

/*
 * RECORD  login half of the fence: 20 | refresh half: 20 | refused: 1 | version: 12; version 0 is deleted, or never was
 * GRANT   version: the last that the provider has granted
 * KEPT    both halves of the fence of what was renewed: 40 | version: 12
 * CANCEL  generation of the login that is to stop
 */
const HALF = 20n;
const HALF_MASK = (1n << HALF) - 1n;
const VERSION_MASK = 0xfffn;
const REFUSED = 1n << 12n;

/** The two halves of a fence, which are generations in the model, in forty bits. */
const packFence = (fence: Fence): bigint => ((fence >> 80n) << HALF) | (fence & HALF_MASK);
const unpackFence = (packed: bigint): Fence => ((packed >> HALF) << 80n) | (packed & HALF_MASK);

export function packRecord({ version, refused }: Tokens, fence: Fence): bigint {
  return (packFence(fence) << 13n) | (refused ? REFUSED : 0n) | BigInt(version);
}

export const versionOf = (record: bigint): number => Number(record & VERSION_MASK);
const fenceOf = (record: bigint): Fence => unpackFence(record >> 13n);

export function recordOf(word: bigint): Stored<Tokens> | null {
  const version = versionOf(word);
  return version === 0
    ? null
    : { grant: { version, refused: (word & REFUSED) !== 0n }, fence: fenceOf(word) };
}

export function nameOfVault(offset: number): string {
  return NAMES[offset] ?? '?';
}

export function describeVault(offset: number, word: bigint): string {
  if (offset !== 0 || word === 0n) return String(word & VERSION_MASK);
  const { version, refused } = recordOf(word)?.grant ?? { version: 0, refused: false };
  const packed = word >> 13n;
  return `v${version}${refused ? ' refused' : ''} under ${packed >> HALF}.${packed & HALF_MASK}`;
}

type AccountEffect = RenewalEffect<Tokens> | LoginEffect<Tokens>;

/** What happens to a refresh or a write; several are alternatives, and all are explored. */
export interface VaultSurroundings {
  readonly answers: readonly RefreshAnswer[];
  readonly store: readonly ('ok' | 'fail')[];
}

/** The account as one virtual thread reaches it. */
export class Vault {
  readonly #door: Door;
  readonly #base: number;
  readonly #plan: VaultPlan;
  readonly protocols: Protocols;
  readonly #around: VaultSurroundings;

  constructor(
    door: Door,
    base: number,
    plan: VaultPlan,
    protocols: Protocols,
    around: Partial<VaultSurroundings> = {},
  ) {
    this.#door = door;
    this.#base = base;
    this.#plan = plan;
    this.protocols = protocols;
    this.#around = { answers: ['ok'], store: ['ok'], ...around };
  }

  read(): Stored<Tokens> | null {
    this.#door.within('store');
    return recordOf(this.#door.load(this.#base));
  }

  isDue({ version }: Tokens): boolean {
    return version < (this.#plan.dueBelow ?? 2);
  }

  /** Tells the leader of this login to stop. */
  cancel(generation: number): void {
    this.#door.within('message');
    this.#door.store(this.#base + 3, BigInt(generation));
  }

  /** Uses tokens for a request. */
  use({ version }: Tokens): void {
    this.#door.note({ what: 'use', value: `v${version}`, code: version });
  }

  readonly terms: RenewalTerms<Tokens> = {
    isDue: (tokens) => this.isDue(tokens),
    isRenewable: ({ refused }) => !refused,
    refused: (tokens) => ({ ...tokens, refused: true }),
  };

  /** Runs a protocol to its end, or to a refresh that is not answered yet. */
  run<T>(script: VaultScript<AccountEffect, T>, generation: number): Pending<T> {
    return this.#resume(script, script.next(), generation);
  }

  #resume<T>(
    script: VaultScript<AccountEffect, T>,
    first: IteratorResult<AccountEffect, T>,
    generation: number,
  ): Pending<T> {
    let step = first;
    while (step.done !== true) {
      const effect = step.value;
      if (effect.type !== 'refresh') step = script.next(this.#perform(effect, generation));
      else {
        const { answer, isLate } = this.#refresh(effect.grant);
        const told = (): Pending<T> => {
          this.#tell(answer);
          return this.#resume(script, script.next(answer), generation);
        };
        if (isLate) return { kind: 'waiting', told };
        return told();
      }
    }
    return { kind: 'done', value: step.value };
  }

  #perform(effect: Exclude<AccountEffect, { type: 'refresh' }>, generation: number): unknown {
    const door = this.#door;
    switch (effect.type) {
      case 'read':
        return this.read();
      case 'write':
        return this.#write(effect.grant, effect.fence, effect.mode);
      case 'delete':
        return this.#delete(effect.fence);
      case 'find': {
        door.within('memory');
        const kept = door.load(this.#base + 2);
        const isKept = kept !== 0n && kept >> 12n === packFence(effect.before);
        if (isKept) door.note({ what: 'found' });
        return isKept ? { version: versionOf(kept), refused: false } : null;
      }
      case 'keep':
        door.within('memory');
        door.note({ what: 'kept' });
        door.store(this.#base + 2, (packFence(effect.before) << 12n) | BigInt(effect.grant.version));
        return undefined;
      case 'isCancelled':
        door.within('message');
        return door.load(this.#base + 3) === BigInt(generation);
    }
  }

  #write(grant: Tokens, fence: Fence, mode: 'replace' | 'update'): Stored<Tokens> | null | 'failed' {
    const door = this.#door;
    door.within('store');
    if (this.#pick(this.#around.store, 'store accepts or fails') === 'fail') return 'failed';
    for (;;) {
      const word = door.load(this.#base);
      if (this.protocols.comparesFences && fenceOf(word) > fence) {
        door.note({ what: 'superseded' });
        return 'failed';
      }
      if (mode === 'update' && versionOf(word) === 0) return 'failed';
      if (door.compareExchange(this.#base, word, packRecord(grant, fence)) !== word) continue;
      return recordOf(word);
    }
  }

  #delete(fence: Fence): boolean {
    const door = this.#door;
    door.within('store');
    for (;;) {
      const word = door.load(this.#base);
      if (fenceOf(word) !== fence || versionOf(word) === 0) return true;
      const gone = packRecord({ version: 0, refused: false }, fence);
      if (door.compareExchange(this.#base, word, gone) !== word) continue;
      door.note({ what: 'taken-back' });
      return true;
    }
  }

  #refresh({ version }: Tokens): { readonly answer: Refreshed<Tokens, null>; readonly isLate: boolean } {
    const door = this.#door;
    door.within('provider');
    door.note({ what: 'send', value: `v${version}`, code: version });
    const answer = this.#pick(this.#around.answers, 'provider answers');
    if (answer === 'fail') return { answer: { kind: 'failed', fault: null }, isLate: false };
    if (answer === 'gone') return { answer: { kind: 'gone', fault: null }, isLate: false };
    const granted = this.#grant(version);
    if (answer === 'slow') door.sleep(6);
    if (granted === null) return { answer: { kind: 'gone', fault: null }, isLate: answer === 'late' };
    if (answer === 'lost') return { answer: { kind: 'failed', fault: null }, isLate: false };
    return {
      answer: { kind: 'granted', grant: { version: granted, refused: false } },
      isLate: answer === 'late',
    };
  }

  /** A refresh token is good once, unless the provider is lenient. */
  #grant(version: number): number | null {
    const at = this.#base + 1;
    if (this.#plan.lenient === true) return Number(this.#door.add(at, 1n)) + 1;
    const found = this.#door.compareExchange(at, BigInt(version), BigInt(version + 1));
    if (found === BigInt(version)) return version + 1;
    this.#door.note({ what: 'reuse' });
    return null;
  }

  #tell(answer: Refreshed<Tokens, null>): void {
    if (answer.kind !== 'granted') {
      this.#door.note({ what: 'unanswered' });
      return;
    }
    const { version } = answer.grant;
    this.#door.note({ what: 'told', value: `v${version}`, code: version });
    if (!this.protocols.waitsForStore) this.use(answer.grant);
  }

  #pick<T>(alternatives: readonly T[], what: string): T {
    const at = alternatives.length > 1 ? this.#door.choose(alternatives.length, what) : 0;
    return alternatives[at] as T;
  }

  sleep(timeoutMs: number): void {
    this.#door.sleep(Math.ceil(timeoutMs / TICK_MS));
  }

  note(what: string, hold: Hold): void {
    this.#door.note({ what, slot: hold.slot, fence: generationOf(hold.word) });
  }
}

export type Pending<T> =
  | { readonly kind: 'done'; readonly value: T }
  /** A refresh has been sent, and its answer is on its way. */
  | { readonly kind: 'waiting'; readonly told: () => Pending<T> };
