/**
 * Does a browser send this request for another site? Judged by what browsers say of the origin of a request and pages
 * cannot forge. A request that says nothing comes from a program, or is judged by the token in its form.
 *
 * Source: Fetch section 3.2 (Origin), Fetch Metadata section 2.3 (Sec-Fetch-Site), RFC 9700 section 4.7.
 */
import type { Call } from './call.ts';

export type OriginVerdict = 'same' | 'unsaid' | 'cross-site' | 'mismatch';

export function originOf(call: Call): OriginVerdict {
  const site = call.field('sec-fetch-site');
  // `none` is the user's own doing: an address typed in.
  if (site !== '') return site === 'same-origin' || site === 'none' ? 'same' : 'cross-site';
  const origin = call.field('origin');
  if (origin === '') return 'unsaid';
  // A page that sends no referrer, as ours, has its forms sent with `null`, and so has a sandboxed page of anybody.
  if (origin === 'null' || !URL.canParse(origin)) return 'cross-site';
  const { host, protocol } = new URL(origin);
  if (!hostsOf(call, protocol).includes(host)) return 'mismatch';
  return 'same';
}

/** The hosts that the caller may mean by us, written as a URL of this protocol has them. */
function hostsOf(call: Call, protocol: string): readonly string[] {
  const told = call.exchange.peerTrusted ? call.field('x-forwarded-host') : '';
  return [told, call.field('host')]
    .map((host) => `${protocol}//${host}`)
    .filter((address) => URL.canParse(address))
    .map((address) => new URL(address).host);
}
