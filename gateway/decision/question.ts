/** Reads which request a proxy asks about. Everything else of the asking request but its credentials is ignored. */
import { isIP } from 'node:net';
import { type Refusal, refusals } from '../core/errors.ts';
import type { RawHeaders } from '../core/exchange.ts';
import { questionFields } from './mode.ts';
import type { DecisionMount } from './mounts.ts';

export interface Question {
  readonly method: string;
  /** As the proxy got it; judged like any request target. */
  readonly target: string;
  /** The tag of the upstream that the proxy has chosen (Traefik); null when it leaves that to the answer. */
  readonly upstream: string | null;
  /** The address before the proxy, null when it is not told. */
  readonly clientAddress: string | null;
}

/** The request that asks, as it came. */
export interface Asking {
  readonly methodName: string;
  readonly path: string;
  readonly target: string;
  readonly fields: RawHeaders;
}

/** Errors: `decision_question_missing`, `decision_question_ambiguous`. */
export function readQuestion(mount: DecisionMount, asking: Asking): Question | Refusal {
  const clientAddress = lastAddress(valuesOf(asking.fields, 'x-forwarded-for').at(-1) ?? '');
  if (mount.mode === 'batch') return refusals.decision_question_missing;
  const names = questionFields[mount.mode];
  if (names === null) {
    const target = asking.target.slice(mount.path.length);
    return { method: asking.methodName, target, upstream: null, clientAddress };
  }
  const methods = valuesOf(asking.fields, names.method);
  const targets = valuesOf(asking.fields, names.target);
  if (methods.length > 1 || targets.length > 1) return refusals.decision_question_ambiguous;
  const [method, target] = [methods[0] ?? '', targets[0] ?? ''];
  if (method === '' || target === '') return refusals.decision_question_missing;
  // Of the others, Caddy hands its caller's query on to the mount.
  const upstream = mount.mode === 'traefik' ? upstreamAsked(asking) : null;
  return { method, target, upstream, clientAddress };
}

function valuesOf(fields: RawHeaders, name: string): string[] {
  const values: string[] = [];
  for (let i = 0; i < fields.length; i += 2) if (fields[i] === name) values.push(fields[i + 1]!);
  return values;
}

/** The last address of X-Forwarded-For is the one that the asking proxy saw itself. */
function lastAddress(value: string): string | null {
  const address = value.slice(value.lastIndexOf(',') + 1).trim();
  return isIP(address) === 0 ? null : address;
}

function upstreamAsked({ path, target }: Asking): string | null {
  if (target.length === path.length) return null;
  return new URLSearchParams(target.slice(path.length + 1)).get('upstream');
}
