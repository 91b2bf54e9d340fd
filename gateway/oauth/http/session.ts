/**
 * Who asks: the subject of a token, or else a browser session. The session is a cookie of 128 random bits; what it owns is
 * known by its digest only, so that nothing of it is kept here.
 */
import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

/** Who a verified token is about. */
export interface Identity {
  /** The issuer's name in the configuration. */
  readonly issuer: string;
  readonly subject: string;
}

const sessionForm = /^[A-Za-z0-9_-]{22}$/;

/** With TLS the name itself makes browsers refuse a cookie that another host or plain HTTP set (RFC 6265bis). */
const plainName = 'sallyport';
const secureName = '__Host-sallyport';

export function newSession(): string {
  return randomBytes(16).toString('base64url');
}

/** The session in a Cookie field; null when there is none, or more than one to choose from. */
export function readSession(cookie: string, isSecure: boolean): string | null {
  const name = isSecure ? secureName : plainName;
  const values = cookie
    .split(';')
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(`${name}=`))
    .map((pair) => pair.slice(name.length + 1));
  return values.length === 1 && sessionForm.test(values[0]!) ? values[0]! : null;
}

/** Lax, for the provider sends the browser back to the callback by a link from another site. */
export function sessionCookie(session: string, isSecure: boolean): string {
  const attributes = 'Path=/; HttpOnly; SameSite=Lax';
  return isSecure
    ? `${secureName}=${session}; Secure; ${attributes}`
    : `${plainName}=${session}; ${attributes}`;
}

export function ownerOfSession(session: string): Buffer {
  return createHash('sha256').update(`session\n${session}`).digest();
}

/** The length keeps issuer and subject apart, whatever characters they have. */
export function ownerOfIdentity({ issuer, subject }: Identity): Buffer {
  return createHash('sha256').update(`subject\n${issuer.length}\n${issuer}\n${subject}`).digest();
}

/** What a form of ours carries: only a page of the same session can know it. */
export function formToken(session: string): string {
  return createHmac('sha256', session).update('form').digest('base64url');
}

export function isFormToken(session: string, given: string): boolean {
  const wanted = Buffer.from(formToken(session));
  const found = Buffer.from(given);
  return wanted.length === found.length && timingSafeEqual(wanted, found);
}
