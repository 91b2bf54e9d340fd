// Refreshes and logins of one account: key 0 is its refresh, key 1 its login, as two flights of the table.

import type { LoginPlan, Plan, UsePlan } from '../world/plan.ts';
import type { Scenario } from './scenario.ts';

const use: UsePlan = { does: 'use' };
const login: LoginPlan = { does: 'login' };
const cancel = { does: 'cancel', key: 1, generation: 1 } as const;

/** The failure of a flight is shared for two ticks; a lease is longer. */
const coolDown = { does: 'clock', to: [103] } as const;

const account = { keys: 2, slots: 2, bound: true, vault: { stored: true } } as const;
/** Nothing is stored yet. */
const stranger: Pick<Plan, 'keys' | 'slots' | 'bound' | 'vault'> = { ...account, vault: {} };

export const credentials: readonly Scenario[] = [
  {
    name: 'refresh-2',
    title: 'two requests need a token that is due',
    plan: { ...account, threads: [use, use] },
  },
  {
    name: 'refresh-5',
    title: 'five requests need a token that is due',
    plan: { ...account, threads: [use, use, use, use, use] },
    sampled: 5000,
  },
  {
    name: 'refresh-again',
    title: 'a token is due again as soon as it was renewed',
    plan: { ...account, vault: { stored: true, dueBelow: 3 }, threads: [{ ...use, times: 2 }, use] },
    long: true,
  },
  {
    name: 'refresh-slow-provider',
    title: 'the provider renews and is silent for longer than a lease',
    plan: { ...account, threads: [{ ...use, answers: ['late'], leases: 3 }, use] },
    long: true,
  },
  {
    name: 'refresh-faults',
    title: 'the provider renews or fails, its answer arrives or not, and the next request tries again',
    plan: {
      ...account,
      threads: [{ ...use, answers: ['ok', 'lost', 'fail', 'gone'] }, { ...use, times: 2 }, coolDown],
    },
  },
  {
    name: 'refresh-store-fails',
    title: 'the store takes what was granted, or does not, and the next request tries again',
    plan: {
      ...account,
      threads: [{ ...use, store: ['ok', 'fail'] }, use, coolDown],
    },
  },
  {
    name: 'refresh-death',
    title: 'the leader of a refresh dies, at every step',
    plan: { ...account, threads: [use, use, { does: 'reap', thread: 0 }] },
    crashEverywhere: 0,
    long: true,
  },
  {
    name: 'refresh-stall',
    title: 'the leader of a refresh stalls past its lease, and a provider refuses what its successor sends',
    plan: {
      ...account,
      vault: { stored: true, stalls: true },
      mayWait: true,
      threads: [
        { ...use, answers: ['slow'] },
        { ...use, answers: ['ok', 'late'], leases: 3 },
      ],
    },
    long: true,
  },
  {
    name: 'refresh-stall-lenient',
    title: 'the same with a provider that renews twice',
    plan: {
      ...account,
      vault: { stored: true, stalls: true, lenient: true },
      mayWait: true,
      threads: [
        { ...use, answers: ['slow'] },
        { ...use, answers: ['ok', 'fail'] },
      ],
    },
  },
  {
    name: 'refresh-login',
    title: 'a refresh is under way while somebody logs in anew',
    plan: { ...account, threads: [{ ...use, answers: ['late', 'gone'], leases: 3 }, login] },
  },
  {
    name: 'login-cancel',
    title: 'a first login is cancelled while its credential is being stored',
    plan: { ...stranger, threads: [{ ...login, store: ['ok', 'fail'] }, cancel] },
  },
  {
    name: 'login-again-cancel',
    title: 'a second login is cancelled, and what was stored before is put back',
    plan: { ...account, threads: [login, cancel, login] },
    long: true,
  },
  {
    name: 'login-cancel-refresh',
    title: 'a second login is cancelled while what was stored before is being renewed',
    plan: { ...account, threads: [login, cancel, use] },
  },
];
