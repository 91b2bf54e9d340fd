import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { IdleTimer } from '../../gateway/upstream/idle-timer.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it('strikes when it was idle for so long', () => {
  const expired = vi.fn();
  new IdleTimer(expired).start(100);
  vi.advanceTimersByTime(99);
  expect(expired).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1);
  expect(expired).toHaveBeenCalledTimes(1);
});

it('counts from the last use, with one timer for thousands of uses', () => {
  const expired = vi.fn();
  const timer = new IdleTimer(expired);
  for (let i = 0; i < 5000; i += 1) {
    timer.start(1000);
    timer.suspend();
    vi.advanceTimersByTime(1);
    expect(vi.getTimerCount()).toBeLessThanOrEqual(1);
  }
  timer.start(1000);
  vi.advanceTimersByTime(999);
  expect(expired).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1);
  expect(expired).toHaveBeenCalledTimes(1);
});

it('takes a shorter time at once', () => {
  const expired = vi.fn();
  const timer = new IdleTimer(expired);
  timer.start(10_000);
  timer.suspend();
  timer.start(50);
  vi.advanceTimersByTime(50);
  expect(expired).toHaveBeenCalledTimes(1);
});

it('does not strike while in use, or stopped', () => {
  const expired = vi.fn();
  const timer = new IdleTimer(expired);
  timer.start(50);
  timer.suspend();
  vi.advanceTimersByTime(1000);
  timer.start(50);
  timer.stop();
  vi.advanceTimersByTime(1000);
  expect(expired).not.toHaveBeenCalled();
  expect(vi.getTimerCount()).toBe(0);
});
