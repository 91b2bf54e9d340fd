/** Renewal in band: the text message by which a caller brings a new token, and what it is told. */
import type { Refusal } from '../core/errors.ts';

/** The token of a message that begins with `{"<member>"` and has no other member; null for any other, which is the upstream's. */
export function renewalOf(message: Uint8Array, member: string): string | null {
  const start = `{"${member}"`;
  // Most messages are others: they are not read for this.
  if (Buffer.from(message.subarray(0, start.length)).toString('latin1') !== start) return null;
  let content: unknown;
  try {
    content = JSON.parse(Buffer.from(message).toString());
  } catch {
    return null;
  }
  const [[name, token] = [], ...others] = Object.entries(content as object);
  return name === member && others.length === 0 && typeof token === 'string' ? token : null;
}

/** `{"<member>": {"expires_at": <seconds>}}`, or `{"error": "<code>"}` in its place. */
export function renewalText(member: string, outcome: { readonly expSeconds: number } | Refusal): string {
  const told = 'code' in outcome ? { error: outcome.code } : { expires_at: outcome.expSeconds };
  return JSON.stringify({ [member]: told });
}
