/** Who is at the other end, as far as it can be believed. */
import { BlockList, isIP } from 'node:net';
import type { HttpResponse } from '../native/uws.ts';

/** Address of the connection's other end, as text. IPv4 in IPv6 clothing is written as IPv4. */
export function peerAddress(response: HttpResponse): string {
  const text = Buffer.from(response.getRemoteAddressAsText()).toString('latin1');
  return text.startsWith('0000:0000:0000:0000:0000:ffff:') ? mappedAddress(text) : text;
}

/** The driver writes `::ffff:127.0.0.1` as eight groups of four digits. */
function mappedAddress(text: string): string {
  const [high = '', low = ''] = text.slice(30).split(':');
  const value = Number.parseInt(high + low, 16);
  return [24, 16, 8, 0].map((shift) => (value >>> shift) & 0xff).join('.');
}

/** The peers whose `X-Forwarded-*` and request ids are believed: addresses and networks (RFC 4632, RFC 4291). */
export function trustedPeers(entries: readonly string[]): (address: string) => boolean {
  if (entries.length === 0) return () => false;
  const list = new BlockList();
  for (const entry of entries) {
    const [network = '', prefix] = entry.split('/');
    const family = isIP(network) === 6 ? 'ipv6' : 'ipv4';
    if (prefix === undefined) list.addAddress(network, family);
    else list.addSubnet(network, Number(prefix), family);
  }
  return (address) => {
    const family = isIP(address);
    return family !== 0 && list.check(address, family === 6 ? 'ipv6' : 'ipv4');
  };
}
