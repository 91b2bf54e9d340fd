// Mistakes in refreshes and logins: the protocols of credentials, the leases under them, and the store.

import { generationOf } from '../../gateway/flight/control-word.ts';
import { controlAddress } from '../../gateway/flight/layout.ts';
import { operations } from '../../gateway/flight/operations.ts';
import { loginFence, refreshFence } from '../../gateway/oauth/protocol/fence.ts';
import { read, write } from '../../gateway/oauth/protocol/vault.ts';
import type { Refreshed, Renewed } from '../../gateway/oauth/protocol/renew.ts';
import { shippedProtocols, type Protocols, type Tokens } from '../world/vault.ts';
import type { Mutant } from './mutant.ts';

const protocols = (wrong: Partial<Protocols>): Protocols => ({ ...shippedProtocols, ...wrong });

/** Asks the provider about these tokens, whatever is stored. */
function* send(grant: Tokens): ReturnType<Protocols['renew']> {
  const answer = (yield { type: 'refresh', grant }) as Refreshed<Tokens, null>;
  if (answer.kind !== 'granted') return { kind: 'failed', fault: null };
  return { kind: 'renewed', renewed: { grant: answer.grant, before: 0n } };
}

export const credentials: readonly Mutant[] = [
  {
    name: 'refresh-remembered',
    title: 'renew what the request had in hand: it was read a moment ago',
    scenario: 'refresh-2',
    kills: 'I17',
    protocols: protocols({ renew: () => send({ version: 1, refused: false }) }),
  },
  {
    name: 'no-renewal-of-lease',
    title: 'a lease that is not lost needs no renewal',
    scenario: 'refresh-slow-provider',
    kills: 'I17',
    operations: { renew: (_cells, _layout, _slot, word) => word },
  },
  {
    name: 'unsaved-forgotten',
    title: 'what the store did not take is asked for again',
    scenario: 'refresh-store-fails',
    kills: 'I19',
    protocols: protocols({
      *storeRenewed({ grant, before }: Renewed<Tokens>, flightFence) {
        return (yield* write(grant, refreshFence(flightFence, before), 'update')) !== 'failed';
      },
    }),
  },
  {
    name: 'use-before-store',
    title: 'the access token is good from the moment it is granted',
    scenario: 'refresh-store-fails',
    kills: 'I18',
    protocols: protocols({ waitsForStore: false }),
  },
  {
    name: 'fence-ignored',
    title: 'the last write is the latest',
    scenario: 'refresh-stall-lenient',
    kills: 'I19',
    protocols: protocols({ comparesFences: false }),
  },
  {
    name: 'late-tokens-dropped',
    title: 'a leader that was fenced has nothing to say',
    scenario: 'refresh-stall-lenient',
    kills: 'I17',
    protocols: protocols({ storesLate: false }),
  },
  {
    name: 'refusal-over-tokens',
    title: 'a refusal is for the account, whatever is stored by now',
    scenario: 'refresh-stall',
    kills: 'I19',
    protocols: protocols({
      *renew(terms, flightFence) {
        const stored = yield* read<Tokens>();
        if (stored === null || stored === 'failed' || !terms.isDue(stored.grant)) return { kind: 'fresh' };
        const { grant, fence: before } = stored;
        if (!terms.isRenewable(grant)) return { kind: 'refused', fault: null };
        const renewal = yield* send(grant);
        if (renewal.kind === 'renewed') return { kind: 'renewed', renewed: { ...renewal.renewed, before } };
        yield* write(terms.refused(grant), refreshFence(flightFence, before), 'update');
        return { kind: 'refused', fault: null };
      },
    }),
  },
  {
    name: 'one-count-for-all',
    title: 'a refresh is ordered after whatever is stored by the fence of its flight alone',
    scenario: 'refresh-login',
    kills: 'I19',
    protocols: protocols({
      *storeRenewed({ grant }: Renewed<Tokens>, flightFence) {
        return (yield* write(grant, loginFence(flightFence + 1n, null), 'update')) !== 'failed';
      },
    }),
  },
  {
    name: 'cancel-after-store',
    title: 'a cancel is looked for before the credential is stored',
    scenario: 'login-cancel',
    kills: 'I20',
    protocols: protocols({
      *storeLogin(grant, flightFence) {
        const before = yield* read<Tokens>();
        if (before === 'failed') return 'failed';
        const written = yield* write(grant, loginFence(flightFence, before?.fence ?? null), 'replace');
        if (written === 'failed') return 'failed';
        return ((yield { type: 'isCancelled', isStored: true }) as boolean) ? 'cancelled' : 'stored';
      },
    }),
  },
  {
    name: 'put-back-what-was-read',
    title: 'what was read before the credential was stored is what was there',
    scenario: 'login-cancel-refresh',
    kills: 'I19',
    protocols: protocols({
      *storeLogin(grant, flightFence) {
        const before = yield* read<Tokens>();
        if (before === 'failed') return 'failed';
        const fence = loginFence(flightFence, before?.fence ?? null);
        if ((yield* write(grant, fence, 'replace')) === 'failed') return 'failed';
        if (!((yield { type: 'isCancelled', isStored: true }) as boolean)) return 'stored';
        const back = before === null ? 'failed' : yield* write(before.grant, fence, 'update');
        return back === 'failed' ? 'failed' : 'cancelled';
      },
    }),
  },
  {
    name: 'end-is-lost',
    title: 'the end of a flight is what its slot says, and not what it said',
    scenario: 'refresh-2',
    kills: 'I12',
    operations: {
      tryStart(cells, layout, slot, me, awaited, reserveTicks) {
        const now = generationOf(cells.load(controlAddress(layout, slot)));
        const asked = awaited === now ? awaited : null;
        return operations.tryStart(cells, layout, slot, me, asked, reserveTicks);
      },
    },
  },
];
