/**
 * Where the console is, and under which names. There is no password: what protects it is that its address cannot be reached
 * from elsewhere. A browser of somebody who can reach it must not be made to do so for another site.
 */
import { isIP } from 'node:net';

export const consoleBase = '/-/console';

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

const loopback = /^(?:localhost|127(?:\.\d{1,3}){3}|::1)$/i;

/** Where nobody says otherwise, the console is there for this host only. */
export function hasConsole({ host, console }: { host: string; console?: boolean | undefined }): boolean {
  return console ?? loopback.test(host);
}
