/** Field values as the driver wants them. */

const ASCII = /^[\x00-\x7f]*$/; // oxlint-disable-line no-control-regex

/** The driver writes strings as UTF-8; a field in which one char is one byte goes out as bytes where that would differ. */
export function latin1(text: string): string | Uint8Array<ArrayBuffer> {
  return ASCII.test(text) ? text : new Uint8Array(Buffer.from(text, 'latin1'));
}
