// What the leader of a refresh or a login does, as the driver asks for it: the shipped protocols on a modelled account.

import { generationOf } from '../../gateway/flight/control-word.ts';
import type { Created, Effect, Hold, Persisted } from '../../gateway/flight/effects.ts';
import type { Renewal, Renewed } from '../../gateway/oauth/protocol/renew.ts';
import { firstOfLogin, type Pending, type Tokens, type Vault } from './vault.ts';

/** The codes with which flights of an account fail. */
export const CANCELLED_CODE = 65;
const STORE_CODE = 66;
const REFRESH_CODE = 67;
const COOL_DOWN_TICKS = 2;
/** Slices of the lease that pass before a late answer. */
const LATE_SLICES = 2;
const FLOW_TICKS = 20;

/** The work of one start, as the driver asks for it. */
export interface VaultWork {
  /** A refresh: who starts it waits for its end. */
  readonly endsItself: boolean;
  create(effect: Extract<Effect, { type: 'create' }>): Created;
  persist(hold: Hold): Persisted;
  discard(): void;
}

const created: Created = { kind: 'created', payload: null, flowTicks: FLOW_TICKS };
const failed = (code: number): { kind: 'failed'; code: number; coolDownTicks: number } => ({
  kind: 'failed',
  code,
  coolDownTicks: COOL_DOWN_TICKS,
});

export class RefreshWork implements VaultWork {
  readonly endsItself = true;
  readonly #vault: Vault;
  #pending: Pending<Renewal<Tokens, null>> | null = null;
  #renewed: Renewed<Tokens> | null = null;
  #generation = 0;

  constructor(vault: Vault) {
    this.#vault = vault;
  }

  create({ hold, slice, last, timeoutMs }: Extract<Effect, { type: 'create' }>): Created {
    const vault = this.#vault;
    if (slice === 0) {
      this.#generation = generationOf(hold.word);
      this.#renewed = null;
      vault.note('create', hold);
      const script = this.#vault.protocols.renew(vault.terms, BigInt(this.#generation));
      this.#pending = vault.run(script, this.#generation);
    }
    if (this.#pending?.kind !== 'waiting' || slice >= LATE_SLICES) return this.#settle();
    vault.sleep(timeoutMs);
    if (!last) return { kind: 'running' };
    this.discard();
    return failed(REFRESH_CODE);
  }

  persist(): Persisted {
    return this.#renewed === null || this.#store(this.#renewed) ? { kind: 'persisted' } : failed(STORE_CODE);
  }

  discard(): void {
    this.#settle();
    const renewed = this.#renewed;
    this.#renewed = null;
    if (renewed !== null && this.#vault.protocols.storesLate) this.#store(renewed);
  }

  /** Takes the answer that is on its way. */
  #settle(): Created {
    let pending = this.#pending;
    this.#pending = null;
    if (pending === null) return created;
    while (pending.kind === 'waiting') pending = pending.told();
    const { value } = pending;
    if (value.kind === 'renewed') this.#renewed = value.renewed;
    return value.kind === 'renewed' || value.kind === 'fresh' ? created : failed(REFRESH_CODE);
  }

  #store(renewed: Renewed<Tokens>): boolean {
    const script = this.#vault.protocols.storeRenewed(renewed, BigInt(this.#generation));
    const stored = this.#vault.run(script, this.#generation);
    return stored.kind === 'done' && stored.value;
  }
}

export class LoginWork implements VaultWork {
  readonly endsItself = false;
  readonly #vault: Vault;

  constructor(vault: Vault) {
    this.#vault = vault;
  }

  create({ hold, slice }: Extract<Effect, { type: 'create' }>): Created {
    if (slice === 0) this.#vault.note('create', hold);
    return created;
  }

  persist(hold: Hold): Persisted {
    const generation = generationOf(hold.word);
    const grant = { version: firstOfLogin(generation), refused: false };
    const outcome = this.#vault.run(this.#vault.protocols.storeLogin(grant, BigInt(generation)), generation);
    if (outcome.kind === 'waiting' || outcome.value === 'failed') return failed(STORE_CODE);
    if (outcome.value === 'cancelled') return failed(CANCELLED_CODE);
    this.#vault.note('persist', hold);
    return { kind: 'persisted' };
  }

  discard(): void {}
}
