import { describe, expect, it } from 'vitest';
import {
  isTraceTaken,
  parseTraceParent,
  readTraceContext,
  traceContextFields,
  unrecordedTrace,
} from '../../gateway/core/trace-context.ts';

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

describe('the context of a request', () => {
  const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
  const parent = `00-${traceId}-00f067aa0ba902b7-01`;

  it('section 3.3.1.1: tracestate in several fields is one list, in their order', () => {
    const fields = ['tracestate', 'a=1', 'traceparent', parent, 'tracestate', 'b=2'];
    expect(readTraceContext(fields)).toEqual({
      traceId,
      spanId: '00f067aa0ba902b7',
      sampled: true,
      state: 'a=1,b=2',
    });
  });

  it.each([
    ['no traceparent', ['tracestate', 'a=1']],
    ['two of them', ['traceparent', parent, 'traceparent', parent]],
    ['a malformed one', ['traceparent', `${parent}-`]],
  ])('with %s there is none', (_, fields) => {
    expect(readTraceContext(fields)).toBeNull();
  });

  it('is written as it was read', () => {
    for (const fields of [
      ['traceparent', parent],
      ['traceparent', parent, 'tracestate', 'a=1'],
    ])
      expect(traceContextFields(readTraceContext(fields)!)).toEqual(fields);
  });

  it.each([0, 0.5, 1 - 2 ** -32])('that is not recorded has valid ids, whatever is drawn: %d', (draw) => {
    const [, text = ''] = traceContextFields(unrecordedTrace(() => draw));
    expect(text).toMatch(/-00$/);
    expect(readTraceContext(['traceparent', text])).toMatchObject({ sampled: false });
  });
});
