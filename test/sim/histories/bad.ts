import {
  CANCELLED,
  COMMITTING,
  EXPIRED,
  FAILED,
  IDLE,
  PENDING,
  RESERVED,
  SUCCESS,
} from '../../../gateway/flight/control-word.ts';
import { k1Address, k2Address, threadAddress } from '../../../gateway/flight/layout.ts';
import { NO_PARENT, packThread, THREAD_FREE } from '../../../gateway/flight/reaper.ts';
import { CANCELLED_CODE } from '../../../sim/world/vault-work.ts';
import { firstOfLogin } from '../../../sim/world/vault.ts';
import { payloadWord, SECRET } from '../../../sim/world/world.ts';
import {
  about,
  account,
  calls,
  claim1,
  created1,
  joined1,
  layout,
  none,
  publish1,
  record,
  stored,
  word,
  type Case,
} from './draft.ts';

// Histories that break one invariant each.

export const bad: readonly Case[] = [
  {
    id: 'I1',
    what: 'one key in two slots',
    draft: {
      plan: { bound: false },
      changes: [
        [0, k1Address(layout, 0), 7n],
        [0, k2Address(layout, 0), 8n],
        [1, k1Address(layout, 1), 7n],
        [1, k2Address(layout, 1), 8n],
      ],
    },
  },
  {
    id: 'I2',
    what: 'a stale publish over a newer reservation',
    draft: {
      turns: [
        claim1,
        [1, word(RESERVED, 1), word(RESERVED, 2, 1)],
        [0, word(RESERVED, 2, 1), word(PENDING, 1)],
      ],
    },
  },
  {
    id: 'I2',
    what: 'a purge of a live flow',
    draft: { turns: [claim1, publish1, [1, word(PENDING, 1), word(IDLE, 1)]] },
  },
  {
    id: 'I3',
    what: 'a generation claimed twice',
    draft: { turns: [claim1, [1, word(RESERVED, 1), word(RESERVED, 1, 1)]] },
  },
  {
    id: 'I3',
    what: 'a purge that begins again at 0',
    draft: { initial: word(EXPIRED, 3), turns: [[1, word(EXPIRED, 3), word(IDLE, 0)]] },
  },
  {
    id: 'I4',
    what: 'another than the claimant publishes',
    draft: { turns: [claim1, [1, word(RESERVED, 1), word(PENDING, 1, 1)]] },
  },
  {
    id: 'I5',
    what: 'a join of a flow that ended before the call',
    draft: {
      turns: [claim1, publish1, [0, word(PENDING, 1), word(SUCCESS, 1)]],
      said: [
        [25, 1, calls],
        [30, 1, joined1],
      ],
    },
  },
  {
    id: 'I5',
    what: "a join of another key's flow",
    draft: {
      turns: [claim1, publish1],
      said: [
        [5, 1, { ...calls, key: 'k1' }],
        [30, 1, { ...joined1, key: 'k1' }],
      ],
    },
  },
  {
    id: 'I6',
    what: 'the payload of another generation',
    draft: {
      turns: [claim1, publish1],
      said: [
        [1, 0, created1],
        [5, 1, calls],
        [30, 1, { ...joined1, value: String(payloadWord(0, 2)) }],
      ],
    },
  },
  {
    id: 'I7',
    what: 'a cancelled flow that is persisted',
    draft: {
      turns: [[1, word(PENDING, 1), word(CANCELLED, 1)]],
      said: [[5, 0, { what: 'persist', slot: 0, fence: 1 }]],
    },
  },
  {
    id: 'I7',
    what: 'a flow that is persisted twice',
    draft: {
      said: [
        [5, 0, { what: 'persist', slot: 0, fence: 1 }],
        [6, 1, { what: 'persist', slot: 0, fence: 1 }],
      ],
    },
  },
  {
    id: 'I8',
    what: 'a success after a failure',
    draft: { turns: [[1, word(FAILED, 1, 5), word(SUCCESS, 1)]] },
  },
  {
    id: 'I9',
    what: 'a record freed before its flights',
    draft: {
      turns: [claim1],
      changes: [[2, threadAddress(layout, 0), packThread(THREAD_FREE, NO_PARENT, 1n)]],
      deaths: new Map([[0, 3]]),
    },
  },
  {
    id: 'I9',
    what: 'a child left behind',
    draft: {
      plan: { parents: { 1: 0 } },
      turns: [[1, none, word(RESERVED, 1, 1)]],
      said: [[50, 2, { what: 'reaped', slot: 0 }]],
      deaths: new Map([[0, 3]]),
    },
  },
  {
    id: 'I10',
    what: 'a reap of the living',
    draft: { turns: [claim1, [2, word(RESERVED, 1), word(FAILED, 1, 4), 'reap.cas']] },
  },
  {
    id: 'I10',
    what: 'a reap of who took the record over',
    draft: {
      turns: [claim1, [2, word(RESERVED, 1), word(FAILED, 1, 4), 'reap.cas']],
      said: [[5, 1, { what: 'enrolled', slot: 0 }]],
      deaths: new Map([[0, 3]]),
    },
  },
  {
    id: 'I11',
    what: 'two creations in a burst',
    draft: {
      plan: { creations: { 0: 1 } },
      said: [
        [5, 0, created1],
        [6, 1, { ...created1, fence: 2 }],
      ],
    },
  },
  {
    id: 'I11',
    what: 'one generation created twice',
    draft: {
      said: [
        [5, 0, created1],
        [6, 1, created1],
      ],
    },
  },
  { id: 'I12', what: 'a sleeper that nobody wakes', draft: { end: 'wedged' } },
  { id: 'I12', what: 'an execution without end', draft: { end: 'runaway' } },
  { id: 'I12', what: 'a start that gave up', draft: { said: [[5, 0, { what: 'contended', key: 'k0' }]] } },
  {
    id: 'I12',
    what: 'a key that cannot be started afterwards',
    draft: { said: [[90, 3, { what: 'probe:lost', key: 'k0' }]] },
  },
  {
    id: 'I13',
    what: 'a generation claimed twice under some clock',
    draft: { plan: { anyClock: true }, turns: [claim1, [1, word(RESERVED, 1), word(RESERVED, 1, 1)]] },
  },
  { id: 'I14', what: 'a binding undone', draft: { changes: [[0, k1Address(layout, 0), 0n, 7n]] } },
  { id: 'I15', what: 'a device code in the table', draft: { changes: [[0, 0, SECRET]] } },
  {
    id: 'I16',
    what: 'two starts that both lead',
    draft: {
      plan: { realTime: true },
      said: [
        [1, 0, calls],
        [2, 1, calls],
        [8, 0, { what: 'led', key: 'k0', slot: 0, fence: 1 }],
        [9, 1, { what: 'led', key: 'k0', slot: 0, fence: 2 }],
      ],
    },
  },
  {
    id: 'I16',
    what: 'a cancel that came too late for a flow that nobody ended',
    draft: {
      plan: { realTime: true },
      said: [
        [1, 0, calls],
        [5, 0, { what: 'led', key: 'k0', slot: 0, fence: 1 }],
        [6, 1, { ...calls, what: 'cancel' }],
        [9, 1, { what: 'cancel:ended', key: 'k0', slot: 0, fence: 1 }],
      ],
    },
  },
  {
    id: 'I17',
    what: 'a refresh token sent by two threads',
    draft: {
      plan: account,
      said: [
        [1, 0, about('send', 1)],
        [3, 1, about('send', 1)],
      ],
    },
  },
  {
    id: 'I17',
    what: 'a refresh token sent again by who was told its successor, stalled or not',
    draft: {
      plan: { vault: { stored: true, stalls: true } },
      said: [
        [1, 0, about('send', 1)],
        [2, 0, about('told', 2)],
        [3, 0, about('send', 1)],
      ],
    },
  },
  {
    id: 'I17',
    what: 'a refresh token sent by a flight that began after its successor was stored',
    draft: {
      plan: { vault: { stored: true, stalls: true } },
      changes: [[0, record, stored(2)]],
      said: [
        [7, 1, { what: 'create', slot: 0, fence: 2 }],
        [8, 1, about('send', 1)],
      ],
    },
  },
  {
    id: 'I18',
    what: 'a token used before it was stored',
    draft: { plan: account, changes: [[0, record, stored(2)]], said: [[3, 0, about('use', 2)]] },
  },
  {
    id: 'I19',
    what: 'tokens that nobody stored',
    draft: { plan: account, said: [[1, 0, about('told', 2)]] },
  },
  {
    id: 'I19',
    what: 'a login that was overwritten by a refresh of what was before it',
    draft: {
      plan: account,
      slot: 1,
      turns: [[0, word(COMMITTING, 1), word(SUCCESS, 1)]],
      changes: [
        [0, record, stored(firstOfLogin(1))],
        [1, record, stored(2)],
      ],
    },
  },
  {
    id: 'I20',
    what: 'a cancelled login whose credential stays',
    draft: {
      plan: account,
      slot: 1,
      turns: [[0, word(COMMITTING, 1), word(FAILED, 1, CANCELLED_CODE)]],
      changes: [[0, record, stored(firstOfLogin(1))]],
    },
  },
];
