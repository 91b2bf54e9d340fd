/** Request ids: taken over from callers that may say them, else made here. */
import { randomBytes } from 'node:crypto';

/** Safe in logs, headers and shells; as long as a UUID and then some. */
const WELL_FORMED = /^[A-Za-z0-9._~+/=:-]{1,128}$/;

export function isRequestId(text: string): boolean {
  return WELL_FORMED.test(text);
}

/** Unique, not secret: a random prefix for this thread and a counter. */
export function requestIdSource(prefix: string = randomBytes(8).toString('hex')): () => string {
  let count = 0;
  return () => {
    count += 1;
    return `${prefix}-${count.toString(36)}`;
  };
}
