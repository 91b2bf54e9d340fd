/**
 * The W3C trace context of a request: `traceparent` read and written, and from whom it is taken.
 *
 * Source: W3C Trace Context (Recommendation, 2021) sections 3.2 and 4.3. `tracestate` belongs to the parent: it is passed
 * on with it or dropped with it.
 */

/** `always`: from anybody. `authenticated`: from requests whose token was accepted. `never`: from nobody. */
export const traceModes = ['always', 'authenticated', 'never'] as const;
export type TraceMode = (typeof traceModes)[number];

/** The two fields, in lower case. */
export const traceFields = ['traceparent', 'tracestate'] as const;

export interface TraceParent {
  /** 32 lower-case hex digits, not all zero. */
  readonly traceId: string;
  /** 16 lower-case hex digits, not all zero. */
  readonly parentId: string;
  readonly sampled: boolean;
}

const FORM = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;

/** Reads a `traceparent`; null where a new trace has to begin. Later versions may be longer, version 00 may not. */
export function parseTraceParent(text: string): TraceParent | null {
  const [, version = 'ff', traceId = '', parentId = '', flags = '', rest] = FORM.exec(text) ?? [];
  if (version === 'ff' || (version === '00' && rest !== undefined)) return null;
  if (/^0+$/.test(traceId) || /^0+$/.test(parentId)) return null;
  return { traceId, parentId, sampled: (Number.parseInt(flags, 16) & 1) === 1 };
}

/** Is what a caller says of its trace taken? `isAuthenticated`: its token was accepted. */
export function isTraceTaken(mode: TraceMode, isAuthenticated: boolean): boolean {
  return mode === 'always' || (mode === 'authenticated' && isAuthenticated);
}
