/** Ids for owners, fences for writers, allowances for those who start. */
import { type Arbitrary, assert, bigInt, pre, property, uint8Array } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { loginFence, refreshFence } from '../../gateway/oauth/protocol/fence.ts';
import { Tickets } from '../../gateway/oauth/tickets.ts';
import { ada, bob } from './stage.ts';

const tableId = (): Arbitrary<string> =>
  uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => Buffer.from(bytes).toString('hex'));

describe('a ticket', () => {
  const tickets = new Tickets(Buffer.alloc(32, 7));

  it('leads its owner to the flow, and nobody else', () => {
    assert(
      property(tableId(), (id) => {
        const ticket = tickets.flowId(id, ada);
        expect(ticket).toMatch(/^[0-9a-f]{32}$/);
        expect(tickets.flowOf(ticket, ada)).toBe(id);
        expect(tickets.flowOf(ticket, bob)).not.toBe(id);
      }),
    );
  });

  it('of one use is of no other use', () => {
    assert(
      property(tableId(), (id) => {
        expect(tickets.state(id, ada)).not.toBe(tickets.flowId(id, ada));
        expect(tickets.flowOfState(tickets.state(id, ada), ada)).toBe(id);
        expect(tickets.flowOf(tickets.state(id, ada), ada)).not.toBe(id);
      }),
    );
  });

  it('is the same on all threads of a process, and another in another process', () => {
    const id = '0123456789abcdef0123456789abcdef';
    expect(new Tickets(Buffer.alloc(32, 7)).flowId(id, ada)).toBe(tickets.flowId(id, ada));
    expect(new Tickets(Buffer.alloc(32, 8)).flowId(id, ada)).not.toBe(tickets.flowId(id, ada));
  });

  it.each(['', '0', 'g'.repeat(32), '0'.repeat(31), '0'.repeat(33), 'A'.repeat(32), `${'0'.repeat(31)}\n`])(
    '%j has no such form',
    (text) => {
      expect(tickets.flowOf(text, ada)).toBeNull();
    },
  );
});

describe('fences', () => {
  const epoch = 1_800_000_000_000n << 25n;
  const flight = (): Arbitrary<bigint> => bigInt({ min: 0n, max: (1n << 25n) - 1n }).map((g) => epoch | g);

  it('a refresh comes after the login whose grant it renews, and before the next login', () => {
    assert(
      property(flight(), flight(), flight(), (one, two, refresh) => {
        pre(one < two);
        const login = loginFence(one, null);
        const renewed = refreshFence(refresh, login);
        expect(renewed > login).toBe(true);
        expect(loginFence(two, renewed) > renewed).toBe(true);
      }),
    );
  });

  it('a later refresh comes after an earlier one of the same grant, and a late writer stays late', () => {
    assert(
      property(flight(), flight(), flight(), (login, one, two) => {
        pre(one < two);
        const written = loginFence(login, null);
        const late = refreshFence(one, written);
        const early = refreshFence(two, written);
        expect(early > late).toBe(true);
        expect(refreshFence(one, early) < early).toBe(true);
      }),
    );
  });

  it('a process whose clock was set back still writes after the one before it', () => {
    const ahead = (1_900_000_000_000n << 25n) | 5n;
    const login = loginFence(ahead, null);
    const renewed = refreshFence(ahead, login);
    expect(loginFence(epoch, renewed) > renewed).toBe(true);
    expect(refreshFence(epoch, renewed) > renewed).toBe(true);
  });
});
