import { describe, expect, it } from 'vitest';
import { compareEndings, compareWebSocket } from '../../gateway/comparison/websocket.ts';
import type { WebSocketRules } from '../../gateway/route/policy.ts';

const rules: WebSocketRules = {
  origins: null,
  requiresOrigin: false,
  tokenPrefix: null,
  takesTickets: false,
  messageBytesMax: 1000,
  bufferedBytesMax: 65_536,
  idleMsMax: Number.POSITIVE_INFINITY,
  renewBy: null,
};

describe('WebSockets of a route', () => {
  it.each<[string, Partial<WebSocketRules> | null, Partial<WebSocketRules> | null, readonly string[]]>([
    ['nothing', {}, {}, []],
    ['none, before and after', null, null, []],
    ['WebSockets', null, {}, ['loosened websocket']],
    ['no WebSockets', {}, null, ['tightened websocket']],
    ['any origin', {}, { origins: 'any' }, ['loosened websocket.origins']],
    [
      'another origin',
      { origins: new Set(['https://a']) },
      { origins: new Set(['https://b']) },
      ['loosened websocket.origins', 'tightened websocket.origins'],
    ],
    ['the need of an origin', {}, { requiresOrigin: true }, ['tightened websocket.require_origin']],
    ['tickets', {}, { takesTickets: true }, ['loosened websocket.token_in']],
    ['larger messages', {}, { messageBytesMax: 2000 }, ['loosened websocket.max_message_bytes']],
    ['a limit of idleness', {}, { idleMsMax: 10 }, ['tightened websocket.idle_timeout_ms']],
    ['renewal', {}, { renewBy: 'renew' }, ['changed websocket.renew_by']],
  ])('%s', (_, old, now, findings) => {
    const whole = (part: Partial<WebSocketRules> | null) => (part === null ? null : { ...rules, ...part });
    const found = compareWebSocket(whole(old), whole(now));
    expect(found.map(({ effect, setting }) => `${effect} ${setting}`)).toEqual(findings);
  });
});

describe('answers that end with their token', () => {
  it.each<[boolean | null, boolean | null, readonly string[]]>([
    [null, null, []],
    [null, true, ['tightened']],
    [true, null, ['loosened']],
    [null, false, ['loosened']],
    [false, true, ['tightened']],
  ])('%s became %s', (old, now, effects) => {
    expect(compareEndings(old, now).map(({ effect }) => effect)).toEqual(effects);
  });
});
