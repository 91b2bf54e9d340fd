import { describe, expect, it } from 'vitest';
import { Health, retryWaitMsMax } from '../../gateway/upstream/health.ts';

const outAt = (nowMs: number): Health => {
  const health = new Health({ failures: 3, retryAfterMs: 2000 });
  for (let i = 0; i < 3; i += 1) health.failed(nowMs);
  return health;
};

describe('passive health', () => {
  it('goes out after so many failures in a row, not before', () => {
    const health = new Health({ failures: 3, retryAfterMs: 2000 });
    health.failed(0);
    health.failed(0);
    health.succeeded();
    health.failed(0);
    health.failed(0);
    expect(health.admits(0)).toBe(true);
    health.failed(0);
    expect([health.isOut, health.admits(1999), health.admits(2000)]).toEqual([true, false, true]);
  });

  it('lets one request at a time try', () => {
    const health = outAt(0);
    health.tried(2000);
    expect([health.admits(2000), health.admits(3999)]).toEqual([false, false]);
    // The trial was never heard of again: the next one may go.
    expect(health.admits(4000)).toBe(true);
  });

  it('doubles the wait with each failed trial, up to a minute', () => {
    const health = outAt(0);
    const waitsMs = [];
    for (let i = 0; i < 8; i += 1) {
      const nowMs = health.retryAtMs;
      health.tried(nowMs);
      health.failed(nowMs);
      waitsMs.push(health.retryAtMs - nowMs);
    }
    expect(waitsMs).toEqual([
      4000,
      8000,
      16_000,
      32_000,
      retryWaitMsMax,
      retryWaitMsMax,
      retryWaitMsMax,
      retryWaitMsMax,
    ]);
  });

  it('does not double for requests that were under way when it went out', () => {
    const health = outAt(0);
    for (let i = 0; i < 50; i += 1) health.failed(100);
    expect(health.retryAtMs).toBe(2000);
  });

  it('is well again after one success, and starts over', () => {
    const health = outAt(0);
    health.tried(2000);
    health.succeeded();
    expect(health.admits(2000)).toBe(true);
    for (let i = 0; i < 3; i += 1) health.failed(5000);
    expect(health.retryAtMs).toBe(7000);
  });
});
