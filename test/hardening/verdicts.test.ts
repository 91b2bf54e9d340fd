/** Group V: a verdict belongs to one whole token, and to nobody else's. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Agent } from 'node:http';
import { ask, outcomeOf } from '../support/traffic.ts';
import { until } from '../support/until.ts';
import { Arena, arenaConfig, bytesOf, mint } from './arena.ts';

let arena: Arena;
const leeway = 1;

beforeAll(async () => {
  arena = await Arena.start({
    config: (url) =>
      arenaConfig(url)
        .replace(
          'listener: {',
          'verifier: { threads: 2, cache_entries: 200, negative_entries: 200, batch_max: 8 }\nlistener: {',
        )
        .replace('audiences: [orders]', `audiences: [orders]\n    leeway_seconds: ${leeway}`),
  });
});
afterAll(() => arena.stop());

const present = (token: string, target = '/decide'): Promise<string> =>
  arena.send(bytesOf(target, { token }));
const flip = (token: string, at: number): string => {
  const letter = token[at] === 'A' ? 'B' : 'A';
  return token.slice(0, at) + letter + token.slice(at + 1);
};

/** Asks with each token over few connections at once, in order; resolves with the outcomes in that order. */
async function askAll(tokens: readonly string[], path = '/decide', sockets = 16): Promise<string[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: sockets });
  try {
    return await Promise.all(
      tokens.map(async (token) => outcomeOf(await ask(arena.sallyport.url, { path, token }, agent))),
    );
  } finally {
    agent.destroy();
  }
}

describe('V1: a cached verdict is keyed by the whole token', () => {
  it('a token that differs from a cached one in any place is judged by itself', async () => {
    const good = mint();
    expect(await present(good)).toBe('204');
    for (let at = 0; at < good.length; at += 7) {
      if (good[at] === '.') continue;
      expect(await present(flip(good, at))).toMatch(/^401/);
    }
    expect(await present(good)).toBe('204');
  });

  it('tokens that agree in their first or last 4,000 characters are told apart', async () => {
    const twins = ['orders:read', ''].map((scope) =>
      mint({ a: 'x'.repeat(3000), scope, z: 'x'.repeat(1500), jti: 'twin' }),
    );
    expect(await askAll([twins[0]!, twins[1]!, twins[0]!, twins[1]!], '/decide', 1)).toEqual([
      '204', '403 scope_insufficient', '204', '403 scope_insufficient',
    ]); // prettier-ignore
  });

  it('dies with exp, while it is used', async () => {
    const exp = Math.floor(Date.now() / 1000) + 1;
    const token = mint({ exp });
    expect(await present(token)).toBe('204');
    await until('the token expires', async () => {
      const outcome = await present(token);
      if (outcome !== '204') expect(outcome).toBe('401 token_expired');
      return outcome !== '204';
    });
    expect(Date.now() / 1000).toBeGreaterThanOrEqual(exp + leeway);
    expect(await present(token)).toBe('401 token_expired');
  });

  it('many more tokens than the cache holds get their own verdicts, again and again', async () => {
    const tokens = Array.from({ length: 600 }, (_, i) => mint({ scope: i % 3 === 0 ? '' : 'orders:read' }));
    const expected = tokens.map((_, i) => (i % 3 === 0 ? '403 scope_insufficient' : '204'));
    for (let round = 0; round < 3; round += 1) expect(await askAll(tokens)).toEqual(expected);
  });
});

describe('V2: a negative verdict never sticks to a good token', () => {
  it('forgeries before, beside and behind a good token do not change its verdict', async () => {
    const good = mint();
    const forged = Array.from({ length: 500 }, (_, i) => flip(good, good.length - 2 - (i % 80)));
    const all = forged.flatMap((token, i) => (i % 10 === 0 ? [token, good] : [token]));
    const outcomes = await askAll(all);
    all.forEach((token, i) => expect(outcomes[i]).toMatch(token === good ? /^204$/ : /^401/));
  });
});

describe('V3: verdicts under way at the same time are never swapped', () => {
  it('1,500 different tokens at once, each with its own claims', async () => {
    arena.onRequest = (request, socket) => {
      const user = request.values('x-user').join();
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${user.length}\r\n\r\n${user}`);
    };
    const tokens = Array.from({ length: 1500 }, (_, i) =>
      i % 5 === 4
        ? mint({ sub: `u${i}`, scope: 'nothing' })
        : i % 5 === 3
          ? flip(mint({ sub: `u${i}` }), 300)
          : mint({ sub: `u${i}` }),
    );
    const agent = new Agent({ keepAlive: true, maxSockets: 50 });
    const answers = await Promise.all(
      tokens.map((token) => ask(arena.sallyport.url, { path: '/orders/v', token }, agent)),
    );
    agent.destroy();
    answers.forEach((answer, i) => {
      if (i % 5 === 4) expect(outcomeOf(answer)).toBe('403 scope_insufficient');
      else if (i % 5 === 3) expect(outcomeOf(answer)).toMatch(/^401/);
      else expect([answer.status, answer.body]).toEqual([200, `u${i}`]);
    });
    await arena.expectHealthy();
  });
});

describe('V4: a verification is shared by identical tokens only', () => {
  it('the same new token at once on 40 connections, beside its forgery on 40 others', async () => {
    for (let round = 0; round < 5; round += 1) {
      const good = mint();
      const forged = flip(good, good.length - 5);
      const outcomes = await askAll(
        Array.from({ length: 80 }, (_, i) => (i % 2 === 0 ? good : forged)),
        '/decide',
        80,
      );
      outcomes.forEach((outcome, i) => expect(outcome).toMatch(i % 2 === 0 ? /^204$/ : /^401/));
    }
    expect(
      await arena.sallyport.metric('sallyport_jwt_verifications_total', 'cache="joined"'),
    ).toBeGreaterThan(0);
  });

  it('a caller who leaves does not take the verdict from those who wait with it', async () => {
    for (let round = 0; round < 20; round += 1) {
      const token = mint();
      await arena.attack(async (client) => {
        client.send(bytesOf('/decide', { token }));
        client.reset();
        expect(await present(token)).toBe('204');
      });
    }
  });
});
