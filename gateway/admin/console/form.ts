/** The body of the console's one form: bounded, and read before anything is done. */
import type { IncomingMessage } from 'node:http';

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
