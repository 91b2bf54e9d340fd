/**
 * The W3C trace context of a request: read and written, and from whom it is taken.
 *
 * Source: W3C Trace Context (Recommendation, 2021) sections 3.2 and 4.3. `tracestate` belongs to the parent: it is passed
 * on with it or dropped with it.
 */
import type { RawHeaders } from './exchange.ts';

/** `always`: from anybody. `authenticated`: from requests whose token was accepted. `never`: from nobody. */
export const traceModes = ['always', 'authenticated', 'never'] as const;
export type TraceMode = (typeof traceModes)[number];

/** The two fields, in lower case. */
export const traceFields = ['traceparent', 'tracestate'] as const;

export interface TraceParent {
  /** 32 lower-case hex digits, not all zero. */
  readonly traceId: string;
  /** 16 lower-case hex digits, not all zero: of the span that is the parent. */
  readonly spanId: string;
  readonly sampled: boolean;
}

export interface TraceContext extends TraceParent {
  /** `tracestate`, not looked into; empty when there is none. */
  readonly state: string;
}

const FORM = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;

/** Reads a `traceparent`; null where a new trace has to begin. Later versions may be longer, version 00 may not. */
export function parseTraceParent(text: string): TraceParent | null {
  const [, version = 'ff', traceId = '', spanId = '', flags = '', rest] = FORM.exec(text) ?? [];
  if (version === 'ff' || (version === '00' && rest !== undefined)) return null;
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return null;
  return { traceId, spanId, sampled: (Number.parseInt(flags, 16) & 1) === 1 };
}

/** Is what a caller says of its trace taken? `isAuthenticated`: its token was accepted. */
export function isTraceTaken(mode: TraceMode, isAuthenticated: boolean): boolean {
  return mode === 'always' || (mode === 'authenticated' && isAuthenticated);
}

/** The context that a request brings; null where a new trace has to begin (sections 3.2.3 and 3.3.1.1). */
export function readTraceContext(fields: RawHeaders): TraceContext | null {
  let parent: TraceParent | null = null;
  let parents = 0;
  let state = '';
  for (let i = 0; i < fields.length; i += 2) {
    if (fields[i] === 'traceparent') {
      parents += 1;
      parent = parseTraceParent(fields[i + 1]!);
    } else if (fields[i] === 'tracestate') {
      state = state === '' ? fields[i + 1]! : `${state},${fields[i + 1]!}`;
    }
  }
  return parent === null || parents > 1 ? null : { ...parent, state };
}

/** Name, value, name, value: for a request below that context. */
export function traceContextFields({ traceId, spanId, sampled, state }: TraceContext): readonly string[] {
  const parent = `00-${traceId}-${spanId}-${sampled ? '01' : '00'}`;
  return state === '' ? ['traceparent', parent] : ['traceparent', parent, 'tracestate', state];
}

/** A new trace that is not recorded, so that whoever is asked next does not decide anew. */
export function unrecordedTrace(random: () => number = Math.random): TraceContext {
  const hex = (words: number): string =>
    Array.from({ length: words }, () =>
      Math.floor(random() * 2 ** 32)
        .toString(16)
        .padStart(8, '0'),
    ).join('');
  // The last digit keeps both from being all zero.
  return { traceId: `${hex(4).slice(1)}1`, spanId: `${hex(2).slice(1)}1`, sampled: false, state: '' };
}
