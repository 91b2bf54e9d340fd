import {
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

// Histories that nothing is wrong with.

export const good: readonly Case[] = [
  {
    id: 'I1',
    what: 'two keys in two slots',
    draft: {
      plan: { bound: false },
      changes: [
        [0, k1Address(layout, 0), 7n],
        [0, k2Address(layout, 0), 8n],
        [1, k1Address(layout, 1), 7n],
        [1, k2Address(layout, 1), 9n],
      ],
    },
  },
  {
    id: 'I2',
    what: 'a takeover of a reservation, then an end',
    draft: {
      turns: [
        claim1,
        [1, word(RESERVED, 1), word(RESERVED, 2, 1)],
        [1, word(RESERVED, 2, 1), word(FAILED, 2, 64)],
      ],
    },
  },
  {
    id: 'I3',
    what: 'a claim and a renewal by its holder',
    draft: { turns: [claim1, [0, word(RESERVED, 1), { ...word(RESERVED, 1), deadline: 110 }]] },
  },
  {
    id: 'I3',
    what: 'a generation that wraps',
    draft: { initial: word(EXPIRED, 0x1ffffff), turns: [[0, word(EXPIRED, 0x1ffffff), word(RESERVED, 0)]] },
  },
  {
    id: 'I4',
    what: 'the second claimant publishes',
    draft: {
      turns: [
        claim1,
        [1, word(RESERVED, 1), word(RESERVED, 2, 1)],
        [1, word(RESERVED, 2, 1), word(PENDING, 2, 1)],
      ],
    },
  },
  {
    id: 'I5',
    what: 'a join of a flow that ended before the answer',
    draft: {
      turns: [claim1, publish1, [0, word(PENDING, 1), word(SUCCESS, 1)]],
      said: [
        [5, 1, calls],
        [30, 1, joined1],
      ],
    },
  },
  {
    id: 'I6',
    what: 'the payload of the leader',
    draft: {
      said: [
        [1, 0, created1],
        [30, 1, { ...joined1, value: String(payloadWord(0, 1)) }],
      ],
    },
  },
  {
    id: 'I6',
    what: 'no payload of a flow that has ended',
    draft: {
      said: [
        [1, 0, created1],
        [30, 1, { ...joined1, code: EXPIRED, value: 'none' }],
      ],
    },
  },
  {
    id: 'I7',
    what: 'a persisted flow that ends as a success',
    draft: {
      turns: [
        [0, word(PENDING, 1), word(COMMITTING, 1)],
        [0, word(COMMITTING, 1), word(SUCCESS, 1)],
      ],
      said: [[5, 0, { what: 'persist', slot: 0, fence: 1 }]],
    },
  },
  {
    id: 'I8',
    what: 'a purge and a claim',
    draft: {
      turns: [
        [0, word(EXPIRED, 1), word(IDLE, 1)],
        [0, word(IDLE, 1), word(RESERVED, 2)],
      ],
    },
  },
  {
    id: 'I9',
    what: 'a record freed after its flights',
    draft: {
      turns: [claim1, [2, word(RESERVED, 1), word(FAILED, 1, 4), 'reap.cas']],
      changes: [
        [2, 0, 0n],
        [2, threadAddress(layout, 0), packThread(THREAD_FREE, NO_PARENT, 1n)],
      ],
      deaths: new Map([[0, 3]]),
    },
  },
  {
    id: 'I10',
    what: 'a reap of the dead',
    draft: {
      turns: [claim1, [2, word(RESERVED, 1), word(FAILED, 1, 4), 'reap.cas']],
      deaths: new Map([[0, 3]]),
    },
  },
  {
    id: 'I10',
    what: 'a reap of the child of the dead',
    draft: {
      plan: { parents: { 1: 0 } },
      turns: [
        [1, none, word(RESERVED, 1, 1)],
        [2, word(RESERVED, 1, 1), word(FAILED, 1, 4), 'reap.cas'],
      ],
      deaths: new Map([[0, 3]]),
    },
  },
  { id: 'I11', what: 'one creation', draft: { plan: { creations: { 0: 1 } }, said: [[5, 0, created1]] } },
  {
    id: 'I12',
    what: 'everybody is answered',
    draft: {
      said: [
        [5, 0, { what: 'led', key: 'k0' }],
        [90, 3, { what: 'probe:won', key: 'k0' }],
      ],
    },
  },
  {
    id: 'I13',
    what: 'a takeover under any clock',
    draft: { plan: { anyClock: true }, turns: [claim1, [1, word(RESERVED, 1), word(RESERVED, 2, 1)]] },
  },
  { id: 'I14', what: 'a first binding', draft: { changes: [[0, k1Address(layout, 0), 7n]] } },
  { id: 'I15', what: 'a word that is no secret', draft: { changes: [[0, 0, SECRET + 1n]] } },
  {
    id: 'I16',
    what: 'a start that leads and one that joins',
    draft: {
      plan: { realTime: true },
      said: [
        [1, 0, calls],
        [2, 1, calls],
        [8, 1, joined1],
        [9, 0, { what: 'led', key: 'k0', slot: 0, fence: 1 }],
      ],
    },
  },
  {
    id: 'I17',
    what: 'a refresh token sent again after its answer was lost',
    draft: {
      plan: account,
      said: [
        [1, 0, about('send', 1)],
        [2, 0, { what: 'unanswered' }],
        [3, 1, about('send', 1)],
      ],
    },
  },
  {
    id: 'I17',
    what: 'a refresh token sent again after its sender died',
    draft: {
      plan: account,
      said: [
        [1, 0, about('send', 1)],
        [2, 0, about('told', 2)],
        [9, 1, about('send', 1)],
      ],
      deaths: new Map([[0, 4]]),
    },
  },
  {
    id: 'I17',
    what: 'a refresh token sent again while its sender is stalled',
    draft: {
      plan: { vault: { stored: true, stalls: true } },
      said: [
        [1, 0, about('send', 1)],
        [3, 1, about('send', 1)],
      ],
    },
  },
  {
    id: 'I18',
    what: 'a token used after it was stored',
    draft: { plan: account, changes: [[0, record, stored(2)]], said: [[6, 1, about('use', 2)]] },
  },
  {
    id: 'I19',
    what: 'tokens that are kept for the store',
    draft: { plan: account, changes: [[0, record + 2, 2n]], said: [[1, 0, about('told', 2)]] },
  },
  {
    id: 'I19',
    what: 'tokens that died with who was granted them',
    draft: { plan: account, said: [[1, 0, about('told', 2)]], deaths: new Map([[0, 2]]) },
  },
  {
    id: 'I20',
    what: 'a cancelled login that was taken back',
    draft: {
      plan: account,
      slot: 1,
      turns: [[0, word(COMMITTING, 1), word(FAILED, 1, CANCELLED_CODE)]],
      changes: [
        [0, record, stored(firstOfLogin(1))],
        [0, record, stored(1)],
      ],
    },
  },
];
