/**
 * Who may see the console, and who may send its form. There is no password: what protects it is that its address cannot be
 * reached from elsewhere. A browser of somebody who can reach it must not be made to do so for another site.
 */
import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';

/**
 * Is the Host one that no other site can have pointed here? DNS rebinding needs a name of the attacker's: addresses, localhost
 * and the host that the configuration names are none.
 */
export function isOurHost(host: string | undefined, configured: string): boolean {
  if (host === undefined || !URL.canParse(`http://${host}`)) return false;
  const { hostname } = new URL(`http://${host}`);
  const name = hostname.replace(/^\[(.*)\]$/, '$1');
  return isIP(name) !== 0 || name === 'localhost' || name === configured.toLowerCase();
}

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

const loopback = /^(?:localhost|127(?:\.\d{1,3}){3}|::1)$/i;

/** Where nobody says otherwise, the console is there for this host only. */
export function hasConsole({ host, console }: { host: string; console?: boolean | undefined }): boolean {
  return console ?? loopback.test(host);
}
