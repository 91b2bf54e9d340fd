import { describe, expect, it } from 'vitest';
import { isTraceTaken, parseTraceParent } from '../../gateway/core/trace-context.ts';

const trace = '4bf92f3577b34da6a3ce929d0e0e4736';
const parent = '00f067aa0ba902b7';

describe('W3C Trace Context 3.2.2: a traceparent', () => {
  it.each([
    [`00-${trace}-${parent}-01`, true],
    [`00-${trace}-${parent}-00`, false],
    [`00-${trace}-${parent}-03`, true],
    [`cc-${trace}-${parent}-01-what-comes-later`, true],
  ])('%s is read', (text, sampled) => {
    expect(parseTraceParent(text)).toEqual({ traceId: trace, spanId: parent, sampled });
  });

  it.each([
    '',
    `ff-${trace}-${parent}-01`,
    `00-${trace}-${parent}-01-more`,
    `00-${trace}-${parent}-01-`,
    `00-${trace.toUpperCase()}-${parent}-01`,
    `00-${'0'.repeat(32)}-${parent}-01`,
    `00-${trace}-${'0'.repeat(16)}-01`,
    `00-${trace}-${parent}`,
    `00-${trace}-${parent}-1`,
    `0-${trace}-${parent}-01`,
    `00-${trace}-${parent}-0g`,
    ` 00-${trace}-${parent}-01`,
  ])('%j begins a new trace', (text) => {
    expect(parseTraceParent(text)).toBeNull();
  });
});

it.each([
  ['always', true, true],
  ['authenticated', false, true],
  ['never', false, false],
] as const)('the mode %s takes it from anybody: %s, from the authenticated: %s', (mode, anybody, known) => {
  expect([isTraceTaken(mode, false), isTraceTaken(mode, true)]).toEqual([anybody, known]);
});
