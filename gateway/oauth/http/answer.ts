/** What endpoints answer, and how it is sent: nothing here may be stored by anybody but the constant files of the page. */
import type { RawHeaders } from '../../core/exchange.ts';
import type { Refusal } from '../../core/errors.ts';
import type { Call } from './call.ts';
import { sessionCookie } from './session.ts';

export interface Answer {
  readonly status: number;
  /** Names in lower case; what `send` adds is left out. */
  readonly headers: RawHeaders;
  readonly body: string;
  /** A constant: the browser may keep it, and no session begins with it. */
  readonly isConstant?: boolean;
}

export function json(status: number, value: unknown, headers: RawHeaders = []): Answer {
  return {
    status,
    headers: ['content-type', 'application/json', ...headers],
    body: `${JSON.stringify(value)}\n`,
  };
}

/** See Other: the answer to a form is a page that can be loaded again (RFC 9110 section 15.4.4). */
export function seeOther(location: string): Answer {
  return { status: 303, headers: ['location', location], body: '' };
}

export function retryAfterOf({ retryAfterSeconds }: Refusal): RawHeaders {
  return retryAfterSeconds > 0 ? ['retry-after', String(retryAfterSeconds)] : [];
}

/** The fields that every answer of these endpoints has. */
export function headersOf(
  call: Call,
  { headers, isConstant = false }: Omit<Answer, 'status' | 'body'>,
): RawHeaders {
  const always = ['x-content-type-options', 'nosniff', 'referrer-policy', 'no-referrer'];
  if (isConstant) return [...headers, ...always];
  const begins = call.isFreshSession && call.identity === null;
  const cookie = begins ? ['set-cookie', sessionCookie(call.session, call.isSecure)] : [];
  return [...headers, 'cache-control', 'no-store', ...always, ...cookie];
}

export function send(call: Call, answer: Answer): void {
  const body = Buffer.from(answer.body, 'utf8');
  call.exchange.head(answer.status, headersOf(call, answer), body.length);
  if (body.length > 0) call.exchange.write(body);
  call.exchange.end();
}
