/** What main finds out before any listener starts: that spans can be sent, and with which fields. */
import type { TracingConfig } from '../config/schema.ts';
import type { Environment } from '../config/substitute.ts';
import type { PolicyProblem } from '../route/problem.ts';
import { missingPackages } from './packages.ts';

/** Secrets, as a rule: for the exporter alone. */
export type CollectorHeaders = Readonly<Record<string, string>>;

type Prepared =
  | { readonly ok: true; readonly headers: CollectorHeaders }
  | { readonly ok: false; readonly problem: PolicyProblem };

const headersBytesMax = 16_384;
/** RFC 9110 section 5.1. */
const FIELD_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const FIELD_VALUE = /^[\x20-\x7e]+$/;

export async function prepareTracing(
  { exporter, headersFile, headersEnv }: TracingConfig,
  environment: Environment,
  readFile: (path: string, bytesMax: number) => Promise<Buffer>,
): Promise<Prepared> {
  if (exporter !== 'otlp') return { ok: true, headers: {} };
  const message = missingPackages();
  if (message !== null) return { ok: false, problem: { path: ['tracing', 'exporter'], message } };
  const path = ['tracing', headersFile === undefined ? 'headers_env' : 'headers_file'];
  let text = '';
  try {
    if (headersFile !== undefined) text = (await readFile(headersFile, headersBytesMax)).toString('utf8');
    else if (headersEnv !== undefined) text = environment[headersEnv] ?? '';
    else return { ok: true, headers: {} };
  } catch {
    return { ok: false, problem: { path, message: 'the file cannot be read' } };
  }
  const headers = readHeaders(text);
  if (headers !== null) return { ok: true, headers };
  return { ok: false, problem: { path, message: 'is not of the form name=value,name=value, or is empty' } };
}

/**
 * `name=value` by commas or lines, values percent-encoded where they must be; null for anything else.
 *
 * Source: OpenTelemetry, "Specifying headers via environment variables".
 */
export function readHeaders(text: string): CollectorHeaders | null {
  const headers: Record<string, string> = {};
  for (const part of text.split(/[,\n]/)) {
    const pair = part.trim();
    if (pair === '') continue;
    const at = pair.indexOf('=');
    const [name, value] = [pair.slice(0, Math.max(0, at)).trim(), decoded(pair.slice(at + 1).trim())];
    if (value === null || !FIELD_NAME.test(name) || !FIELD_VALUE.test(value)) return null;
    headers[name.toLowerCase()] = value;
  }
  return Object.keys(headers).length === 0 ? null : headers;
}

function decoded(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}
