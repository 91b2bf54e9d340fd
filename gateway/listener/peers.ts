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

/**
 * Who asks, as far as trusted proxies tell it: the last address of `X-Forwarded-For` that is not one of theirs. What stands
 * before it is what a caller wrote. `fields` as in `RawHeaders`.
 */
export function clientAddress(
  peer: string,
  fields: readonly string[],
  isTrusted: (address: string) => boolean,
): string {
  if (!isTrusted(peer)) return peer;
  let told = '';
  for (let i = 0; i < fields.length; i += 2)
    if (fields[i] === 'x-forwarded-for') told = told === '' ? fields[i + 1]! : `${told},${fields[i + 1]!}`;
  let address = peer;
  for (const entry of told.split(',').toReversed()) {
    const next = entry.trim();
    if (isIP(next) === 0) return address;
    address = next;
    if (!isTrusted(address)) return address;
  }
  return address;
}

/** What one caller can choose addresses from: an IPv4 address is one, of IPv6 it is the first 64 bits. */
export function network(address: string): string {
  if (isIP(address) !== 6) return address;
  const [front = '', back] = address.toLowerCase().split('::');
  const groups = front === '' ? [] : front.split(':');
  const behind =
    back === undefined || back === '' ? 0 : back.split(':').length + (back.includes('.') ? 1 : 0);
  if (back !== undefined) {
    const missing = 8 - groups.length - behind;
    for (let i = 0; i < missing; i += 1) groups.push('0');
    groups.push(...back.split(':'));
  }
  return groups
    .slice(0, 4)
    .map((group) => group.replace(/^0+(?=.)/, ''))
    .join(':');
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
