/** The gate of the compatibility mount: without a token, only callers of this host or a private network may start. */
import { BlockList, isIP } from 'node:net';
import type { Call } from './call.ts';

/** RFC 1918, RFC 4193, loopback and link-local of both families. */
const local = new BlockList();
local.addSubnet('127.0.0.0', 8, 'ipv4');
local.addSubnet('10.0.0.0', 8, 'ipv4');
local.addSubnet('172.16.0.0', 12, 'ipv4');
local.addSubnet('192.168.0.0', 16, 'ipv4');
local.addSubnet('169.254.0.0', 16, 'ipv4');
local.addAddress('::1', 'ipv6');
local.addSubnet('fc00::', 7, 'ipv6');
local.addSubnet('fe80::', 10, 'ipv6');

/**
 * Behind a trusted proxy every address that it and those before it tell must be local; one that is malformed is not. Of
 * other peers nothing is believed.
 */
export function isLocal(call: Call): boolean {
  const { peerAddress, peerTrusted } = call.exchange;
  if (!isLocalAddress(peerAddress)) return false;
  if (!peerTrusted) return true;
  const chain = call.field('x-forwarded-for');
  return chain === '' || chain.split(',').every((address) => isLocalAddress(address.trim()));
}

function isLocalAddress(address: string): boolean {
  const family = isIP(address);
  return family !== 0 && local.check(address, family === 6 ? 'ipv6' : 'ipv4');
}
