import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Facts } from '../../gateway/core/facts.ts';
import { FactsCache, leewaySecondsMax } from '../../gateway/token/facts-cache.ts';
import { GenerationMap } from '../../gateway/token/generations.ts';

const facts = (expSeconds = 1000): Facts => ({
  issuer: 0,
  keyId: 1,
  expSeconds,
  nbfSeconds: 0,
  iatSeconds: 0,
  audiences: [0],
  scopes: [0],
  tokenType: 0,
  subject: null,
  certificate: null,
  claims: [],
});
const name = (i: number): string => `token-${i}`.padEnd(40, '.') + `${i}`.padStart(32, '0');

describe('facts cache', () => {
  test('V1: only the very same token finds its facts', () => {
    const cache = new FactsCache(10, 1e6);
    cache.insert(name(1), facts(), 'EdDSA', 0);
    expect(cache.get(name(1))?.facts.expSeconds).toBe(1000);
    expect(cache.get(`x${name(1)}`)).toBe(undefined);
    expect(cache.get(name(1).slice(1))).toBe(undefined);
    expect(cache.get(name(1).slice(-32))).toBe(undefined);
  });

  test('V1: that holds for a token that comes often, too', () => {
    const cache = new FactsCache(10, 1e6);
    const tail = '0'.repeat(32);
    cache.insert(`a${tail}`, facts(1), 'EdDSA', 0);
    for (let i = 0; i < 3; i += 1) {
      expect(cache.get(`a${tail}`)?.facts.expSeconds).toBe(1);
      expect(cache.get(`b${tail}`)).toBe(undefined);
    }
    cache.insert(`b${tail}`, facts(2), 'EdDSA', 0);
    for (let i = 0; i < 3; i += 1) {
      expect(cache.get(`a${tail}`)).toBe(undefined);
      expect(cache.get(`b${tail}`)?.facts.expSeconds).toBe(2);
    }
    cache.clear();
    expect(cache.get(`b${tail}`)).toBe(undefined);
  });

  test('two tokens with one ending do not get one another’s facts: the later one stays', () => {
    const cache = new FactsCache(10, 1e6);
    const tail = '0'.repeat(32);
    cache.insert(`a${tail}`, facts(1), 'EdDSA', 0);
    cache.insert(`b${tail}`, facts(2), 'EdDSA', 0);
    expect(cache.get(`a${tail}`)).toBe(undefined);
    expect(cache.get(`b${tail}`)?.facts.expSeconds).toBe(2);
    expect(cache.size).toBe(1);
  });

  test('V1: an entry does not outlive its expiry for anybody, and expired ones leave as others come', () => {
    const cache = new FactsCache(1000, 1e6);
    cache.insert(name(0), facts(100), 'EdDSA', 100 + leewaySecondsMax);
    expect(cache.size).toBe(0);
    for (let i = 0; i < 100; i += 1) cache.insert(name(i), facts(100), 'EdDSA', 0);
    for (let i = 100; i < 400; i += 1) cache.insert(name(i), facts(5000), 'EdDSA', 1000);
    expect(cache.size).toBe(300);
  });

  test('what is asked for stays when a scan of tokens comes by that nobody asks for again', () => {
    const cache = new FactsCache(1000, 1e6);
    for (let i = 0; i < 300; i += 1) cache.insert(name(i), facts(), 'EdDSA', 0);
    let lost = 0;
    for (let i = 1000; i < 9000; i += 1) {
      for (let j = i % 100; j < 300; j += 100) {
        if (cache.get(name(j)) !== undefined) continue;
        lost += 1;
        cache.insert(name(j), facts(), 'EdDSA', 0);
      }
      cache.insert(name(i), facts(), 'EdDSA', 0);
    }
    // One of a page that is asked for as a whole makes room for the page's next entry.
    expect(lost).toBeLessThan(24_000 / 1000);
    expect(cache.size).toBeGreaterThan(900);
  });

  test('a cache full of what is asked for still takes what is new, and stays within its bounds', () => {
    const cache = new FactsCache(100, 1e6);
    for (let i = 0; i < 500; i += 1) {
      cache.insert(name(i), facts(), 'EdDSA', 0);
      for (let j = 0; j <= i; j += 1) cache.get(name(j));
      expect(cache.get(name(i))).toBeDefined();
      expect(cache.size).toBeLessThanOrEqual(100);
    }
    expect(cache.size).toBeGreaterThan(80);
  });

  test('nothing is kept where nothing may be', () => {
    for (const [entries, bytes] of [
      [0, 1e6],
      [10, 0],
    ] as const) {
      const cache = new FactsCache(entries, bytes);
      cache.insert(name(1), facts(), 'EdDSA', 0);
      expect([cache.size, cache.bytes]).toEqual([0, 0]);
    }
  });

  test('under any order of use it stays within both bounds and finds what it says it holds', () => {
    const step = fc.tuple(
      fc.constantFrom('insert', 'get', 'remove', 'clear', 'late'),
      fc.integer({ min: 0, max: 12 }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const [entriesMax, bytesMax] = [6, 3500];
        const cache = new FactsCache(entriesMax, bytesMax);
        const model = new Set<string>();
        let nowSeconds = 0;
        for (const [action, i] of steps) {
          const found = action === 'clear' ? undefined : cache.get(name(i));
          if (found !== undefined) expect(model.has(name(i))).toBe(true);
          if (action === 'insert') {
            cache.insert(name(i), facts(1000 * (i + 1)), 'EdDSA', nowSeconds);
            model.add(name(i));
          } else if (action === 'remove' && found !== undefined) {
            cache.remove(found);
            model.delete(name(i));
          } else if (action === 'clear' && i === 0) {
            cache.clear();
            model.clear();
          } else if (action === 'late') nowSeconds += 50 * i;
          expect(cache.size).toBeLessThanOrEqual(entriesMax);
          expect(cache.bytes).toBeLessThanOrEqual(bytesMax);
          const held = Array.from({ length: 13 }, (_, j) => cache.get(name(j))).filter(
            (entry) => entry !== undefined,
          );
          expect(held).toHaveLength(cache.size);
          expect(held.reduce((sum, { weight }) => sum + weight, 0)).toBe(cache.bytes);
        }
      }),
    );
  });
});

describe('a map that forgets by halves', () => {
  test('it never holds more than its bound, and the latest half of it for certain', () => {
    const map = new GenerationMap<number>(20);
    for (let i = 0; i < 1000; i += 1) {
      map.set(`${i}`, i);
      expect(map.size).toBeLessThanOrEqual(20);
      for (let j = Math.max(0, i - 9); j <= i; j += 1) expect(map.get(`${j}`)).toBe(j);
    }
  });

  test('nothing is kept where nothing may be, and clearing forgets both halves', () => {
    const none = new GenerationMap<number>(0);
    none.set('a', 1);
    expect(none.get('a')).toBe(undefined);
    const map = new GenerationMap<number>(4);
    for (let i = 0; i < 4; i += 1) map.set(`${i}`, i);
    map.clear();
    expect(map.size).toBe(0);
  });
});
