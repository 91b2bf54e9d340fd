import { None } from 'oauth4webapi';
import { describe, expect, it } from 'vitest';
import type { IntrospectionConfig } from '../../gateway/config/schema.ts';
import { Introspector } from '../../gateway/oauth/introspector.ts';

class Hand {
  nowMs = 1_000_000;
  readonly asked: { readonly token: string; readonly answer: (body: unknown, status?: number) => void }[] =
    [];
  readonly called: string[] = [];
  readonly introspector: Introspector;

  constructor(more: Partial<IntrospectionConfig> = {}) {
    const config: IntrospectionConfig = {
      endpoint: 'https://issuer.example/introspect',
      clientId: 'gateway',
      clientAuth: { method: 'none', algorithm: 'ES256' },
      ttlSeconds: 60,
      negativeTtlSeconds: 10,
      timeoutMs: 1000,
      maxConcurrent: 2,
      queueMax: 1,
      cacheEntries: 1000,
      allowHttp: false,
      ...more,
    };
    this.introspector = new Introspector('https://issuer.example', config, {
      fetch: (_, { body }) =>
        new Promise((resolve) => {
          this.asked.push({
            token: new URLSearchParams(String(body)).get('token')!,
            answer: (json, status = 200) =>
              resolve(
                new Response(JSON.stringify(json), {
                  status,
                  headers: { 'content-type': 'application/json' },
                }),
              ),
          });
        }),
      nowMs: () => this.nowMs,
      clientAuth: () => Promise.resolve(None()),
      called: (outcome) => this.called.push(outcome),
      failed: () => {},
    });
  }

  /** Resolves when so many questions are out. */
  async out(count: number): Promise<void> {
    while (this.asked.length < count) await new Promise((resolve) => setImmediate(resolve));
  }
}

const active = { active: true, scope: 'orders:read' };

describe('RFC 7662: an introspector', () => {
  it('asks once for requests that come together, and keeps the answer to the earlier of `exp` and its time', async () => {
    const hand = new Hand();
    const both = [hand.introspector.introspect('a'), hand.introspector.introspect('a')];
    await hand.out(1);
    hand.asked[0]!.answer({ ...active, exp: 1030 });
    expect(await Promise.all(both)).toEqual([
      { kind: 'active', claims: { ...active, exp: 1030 }, untilMs: 1_030_000 },
      { kind: 'active', claims: { ...active, exp: 1030 }, untilMs: 1_030_000 },
    ]);
    hand.nowMs = 1_029_999;
    expect(await hand.introspector.introspect('a')).toMatchObject({ kind: 'active' });
    hand.nowMs = 1_030_000;
    const late = hand.introspector.introspect('a');
    await hand.out(2);
    hand.asked[1]!.answer({ ...active, exp: 9999 });
    expect(await late).toMatchObject({ untilMs: 1_090_000 });
    expect(hand.called).toEqual(['active', 'active']);
  });

  it('keeps that a token is not active for its own time', async () => {
    const hand = new Hand();
    const first = hand.introspector.introspect('a');
    await hand.out(1);
    hand.asked[0]!.answer({ active: false });
    expect(await first).toEqual({ kind: 'inactive', untilMs: 1_010_000 });
    hand.nowMs = 1_009_999;
    expect(await hand.introspector.introspect('a')).toMatchObject({ kind: 'inactive' });
    expect(hand.asked).toHaveLength(1);
  });

  it.each<[string, unknown, number]>([
    ['a status of failure', {}, 500],
    ['a refusal of ours', { error: 'invalid_client' }, 401],
    ['no JSON object', 'text', 200],
    ['no `active`', { scope: 'orders:read' }, 200],
    ['`active` as text', { active: 'true' }, 200],
  ])('has no answer when there is %s, and keeps nothing of it', async (_, body, status) => {
    const hand = new Hand();
    const first = hand.introspector.introspect('a');
    await hand.out(1);
    hand.asked[0]!.answer(body, status);
    expect(await first).toEqual({ kind: 'failed' });
    void hand.introspector.introspect('a');
    await hand.out(2);
    expect(hand.called).toEqual(['failed']);
  });

  it('asks about so many at once; of the rest some wait, in order and not for ever, and the others have no answer', async () => {
    const hand = new Hand();
    const answers = ['a', 'b', 'c', 'd'].map((token) => hand.introspector.introspect(token));
    await hand.out(2);
    expect(await answers[3]).toEqual({ kind: 'failed' });
    hand.asked[0]!.answer(active);
    await hand.out(3);
    expect(hand.asked.map(({ token }) => token)).toEqual(['a', 'b', 'c']);
    const late = hand.introspector.introspect('e');
    hand.nowMs += 1001;
    hand.asked[1]!.answer(active);
    expect(await late).toEqual({ kind: 'failed' });
    hand.asked[2]!.answer(active);
    expect(await answers[2]).toMatchObject({ kind: 'active' });
    void hand.introspector.introspect('f');
    void hand.introspector.introspect('g');
    await hand.out(5);
  });
});
