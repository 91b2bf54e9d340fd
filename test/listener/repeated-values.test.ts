import { expect, test } from 'vitest';
import { RepeatedValues } from '../../gateway/listener/repeated-values.ts';

const long = 'Bearer '.padEnd(600, 'abcdefgh');

test('a value is kept from its second coming on', () => {
  const values = new RepeatedValues();
  values.add(long);
  expect(values.has(long)).toBe(false);
  values.add(long);
  expect(values.has(`${long.slice(0, 300)}${long.slice(300)}`)).toBe(true);
});

test('a value that differs in its front is not the same', () => {
  const values = new RepeatedValues();
  for (let i = 0; i < 2; i += 1) values.add(long);
  expect(values.has(`X${long.slice(1)}`)).toBe(false);
  expect(values.has(long.slice(1))).toBe(false);
});

test('another one that takes the place has to come twice, too', () => {
  const values = new RepeatedValues();
  for (let i = 0; i < 2; i += 1) values.add(long);
  // Many more values than places: each place is taken over.
  const others = Array.from({ length: 20_000 }, (_, i) => `${i}`.padStart(100, 'x'));
  for (const other of others) values.add(other);
  expect(values.has(long)).toBe(false);
  expect(others.some((other) => values.has(other))).toBe(false);
});

test('short values and huge ones are not kept', () => {
  const values = new RepeatedValues();
  for (const value of ['', 'short', 'x'.repeat(63), 'x'.repeat(4097)]) {
    for (let i = 0; i < 3; i += 1) values.add(value);
    expect(values.has(value)).toBe(false);
  }
});
