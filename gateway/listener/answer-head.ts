/** The head of an upstream's answer as the caller gets it. */
import type { RawHeaders } from '../core/exchange.ts';
import type { Arrival } from './arrival.ts';
import type { TokenField } from './reissuer.ts';
import { type AnswerFieldNames, statusLine } from './respond.ts';

/**
 * Status line and fields, without the last line's end: those that every answer has, what is counted, a new token, the upstream's.
 * `saysClose`: so does the driver, told to close behind this answer.
 */
export function answerHead(
  arrival: Arrival,
  names: AnswerFieldNames,
  status: number,
  fields: RawHeaders,
  saysClose: boolean,
): string {
  const { correlationId, counted, requestId, serving } = arrival;
  let headers = fields;
  let token: TokenField | null = null;
  if (serving.reissuer !== null)
    ({ field: token, headers } = serving.reissuer.onUpstreamAnswer(arrival, status, fields));
  let text = `${statusLine(status)}\r\n${names.requestId}: ${requestId}`;
  if (correlationId !== '') text += `\r\n${names.correlationId}: ${correlationId}`;
  if (token !== null) text += `\r\n${token[0]}: ${token[1]}`;
  if (counted !== null) text += linesOf(counted.fields);
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i]!;
    // The driver writes a Date of its own into every answer, and two would be malformed; nor is the caller's id sent twice.
    if (name === 'date' || (correlationId !== '' && name === names.correlationId)) continue;
    text += `\r\n${name}: ${headers[i + 1]}`;
  }
  return saysClose ? `${text}\r\nConnection: close` : text;
}

function linesOf(fields: RawHeaders): string {
  let text = '';
  for (let i = 0; i < fields.length; i += 2) text += `\r\n${fields[i]}: ${fields[i + 1]}`;
  return text;
}

export function isEventStream(headers: RawHeaders): boolean {
  for (let i = 0; i < headers.length; i += 2) {
    if (headers[i] === 'content-type') return headers[i + 1]!.toLowerCase().startsWith('text/event-stream');
  }
  return false;
}
