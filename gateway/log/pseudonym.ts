/**
 * What stands for a person in the access log: the same for the same issuer and subject, on every thread, and good for nothing
 * else. The key is made at the start of the process and never leaves it, so that nobody can try subjects out, nor connect
 * the lines of two processes or of two runs.
 */
import { createHmac, randomBytes } from 'node:crypto';

/** 64 bits: enough to tell people apart. */
const hexDigits = 16;

export type PseudonymKey = Uint8Array;

/** Called once for a process, by main. */
export function createPseudonymKey(): PseudonymKey {
  return randomBytes(32);
}

export function pseudonym(key: PseudonymKey, issuer: string, subject: string): string {
  // A line break is in no name of an issuer here, so that no two pairs make one text.
  return createHmac('sha256', key).update(`${issuer}\n${subject}`).digest('hex').slice(0, hexDigits);
}
