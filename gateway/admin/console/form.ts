/** The console's one form: who may send it, and its body, which is bounded and read before anything is done. */
import type { IncomingMessage } from 'node:http';

/**
 * Does a page of ours send this, or a program? Browsers say Sec-Fetch-Site where the address is trustworthy (loopback is),
 * and Origin with every POST.
 *
 * Source: W3C Fetch Metadata section 2.3; Fetch section 3.2.
 */
export function isFromHere({ headers }: IncomingMessage): boolean {
  const site = headers['sec-fetch-site'];
  if (site !== undefined) return site === 'same-origin';
  const { origin, host } = headers;
  if (origin === undefined) return true;
  return URL.canParse(origin) && new URL(origin).host === host?.toLowerCase();
}

/** The longest token and the longest target, and room for how they are written. */
export const formBytesMax = 131_072;

export type FormRefusal = 'too large' | 'no form' | 'cut short';

/** Its deadline is that of the server for whole requests. */
export async function readForm(request: IncomingMessage): Promise<URLSearchParams | FormRefusal> {
  const [mediaType = ''] = (request.headers['content-type'] ?? '').split(';');
  if (mediaType.trim().toLowerCase() !== 'application/x-www-form-urlencoded') return 'no form';
  if (Number(request.headers['content-length'] ?? 0) > formBytesMax) return 'too large';
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      length += chunk.length;
      if (length > formBytesMax) return 'too large';
      chunks.push(chunk);
    }
  } catch {
    return 'cut short';
  }
  return new URLSearchParams(Buffer.concat(chunks).toString('utf8'));
}
