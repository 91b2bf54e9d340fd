/** What each octet may be in a message of HTTP/1.1 (RFC 9110 section 5.6.2, RFC 9112 section 2.2). */

export const HTAB = 0x09;
export const LF = 0x0a;
export const CR = 0x0d;
export const SP = 0x20;
export const COLON = 0x3a;
export const SEMICOLON = 0x3b;

/** May stand in a token: a field name. */
export const TOKEN = 1;
/** A token character that has a lower-case form of its own. */
export const UPPER = 2;
/** May stand in a field value or a reason phrase: VCHAR, SP, HTAB and obs-text; no other control, CR and LF least of all. */
export const TEXT = 4;

/** By octet: TOKEN, UPPER and TEXT. */
export const classOf = new Uint8Array(256);

for (let octet = 0; octet < 256; octet += 1) {
  const char = String.fromCharCode(octet);
  if (/[!#$%&'*+.^_`|~0-9A-Za-z-]/.test(char)) classOf[octet]! |= TOKEN;
  if (/[A-Z]/.test(char)) classOf[octet]! |= UPPER;
  if (/[\t\x20-\x7e\x80-\xff]/.test(char)) classOf[octet]! |= TEXT;
}

/** The value of a hexadecimal digit, or -1. */
export const digitOf = new Int8Array(256).fill(-1);

for (let value = 0; value < 16; value += 1) {
  const digit = value.toString(16);
  digitOf[digit.charCodeAt(0)] = value;
  digitOf[digit.toUpperCase().charCodeAt(0)] = value;
}
