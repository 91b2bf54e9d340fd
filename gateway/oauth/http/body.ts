/** Reads the small bodies of these endpoints, whole. */
import { type Refusal, refusals } from '../../core/errors.ts';
import type { Exchange, RequestBody } from '../../core/exchange.ts';
import type { Call } from './call.ts';

const bodyBytesMax = 8192;

export type Fields = ReadonlyMap<string, unknown>;

/** The fields of a JSON object. No body at all is an empty object, where `isOptional`. */
export async function readJson(
  call: Call,
  { isOptional }: { readonly isOptional: boolean },
): Promise<Fields | Refusal> {
  // The type is what a form of another site cannot send: it is asked for even where there is nothing to read.
  if (mediaType(call) !== 'application/json') return refusals.oauth_media_type;
  const text = await readText(call.exchange);
  if (typeof text !== 'string') return text;
  if (text === '' && isOptional) return new Map();
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return refusals.oauth_request_invalid;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return refusals.oauth_request_invalid;
  return new Map(Object.entries(value));
}

/** The fields of a form. */
export async function readForm(call: Call): Promise<URLSearchParams | Refusal> {
  if (mediaType(call) !== 'application/x-www-form-urlencoded') return refusals.oauth_media_type;
  const text = await readText(call.exchange);
  return typeof text === 'string' ? new URLSearchParams(text) : text;
}

const mediaType = (call: Call): string => call.field('content-type').split(';', 1)[0]!.trim().toLowerCase();

async function readText({ body }: Exchange): Promise<string | Refusal> {
  if (body === null) return '';
  if ((body.length ?? 0) > bodyBytesMax) return refusals.body_too_large;
  const bytes = await collect(body);
  return bytes === null ? refusals.body_too_large : bytes.toString('utf8');
}

/** Null when there is more than is read. Never settles when the caller leaves: the answer would reach nobody. */
function collect(body: RequestBody): Promise<Buffer | null> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    body.start((chunk, last) => {
      bytes += chunk.length;
      if (bytes > bodyBytesMax) {
        resolve(null);
        return;
      }
      chunks.push(chunk);
      if (last) resolve(Buffer.concat(chunks));
    });
  });
}
