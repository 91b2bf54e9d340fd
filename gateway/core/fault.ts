/** A fault: something outside of this code failed. Carries the refusal that the caller gets, never its message. */
import type { RefusalCode } from './errors.ts';

export class Fault extends Error {
  override readonly name = 'Fault';
  readonly code: RefusalCode;

  constructor(code: RefusalCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
