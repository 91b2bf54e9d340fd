/** Who is at the other end, as far as it can be believed. */
import { BlockList, isIP } from 'node:net';
import type { HttpResponse } from '../native/uws.ts';

/** Texts of IPv4 addresses seen lately, by value: to make one costs more than the rest of a look-up. */
const texts = new Map<number, string>();
const textsMax = 4096;

/** `::ffff:0:0/96` (RFC 4291 section 2.5.5.2) */
const mappedPrefix = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff];

/** Address of the connection's other end, as text. IPv4 in IPv6 clothing is written as IPv4; empty when the peer has gone. */
export function peerAddress(response: HttpResponse): string {
  const bytes = new Uint8Array(response.getRemoteAddress());
  if (bytes.length === 4) return ipv4Text(bytes, 0);
  if (bytes.length !== 16) return '';
  return mappedPrefix.every((octet, i) => octet === bytes[i]) ? ipv4Text(bytes, 12) : ipv6Text(bytes);
}

function ipv4Text(bytes: Uint8Array, at: number): string {
  const value =
    bytes[at]! * 0x1_00_00_00 + bytes[at + 1]! * 0x1_00_00 + bytes[at + 2]! * 0x1_00 + bytes[at + 3]!;
  const known = texts.get(value);
  if (known !== undefined) return known;
  if (texts.size === textsMax) texts.clear();
  const text = bytes.subarray(at, at + 4).join('.');
  texts.set(value, text);
  return text;
}

/** Eight groups of four digits. */
function ipv6Text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex').match(/.{4}/g)!.join(':');
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
