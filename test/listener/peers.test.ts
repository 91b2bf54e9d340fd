import { describe, expect, it } from 'vitest';
import { peerAddress, trustedPeers } from '../../gateway/listener/peers.ts';
import { FakeResponse } from './fake-driver.ts';

describe('the address of a peer', () => {
  it.each([
    ['127.0.0.1', '127.0.0.1'],
    ['0000:0000:0000:0000:0000:ffff:7f00:0001', '127.0.0.1'],
    ['0000:0000:0000:0000:0000:ffff:ffff:fffe', '255.255.255.254'],
    ['2001:0db8:0000:0000:0000:0000:0000:0001', '2001:0db8:0000:0000:0000:0000:0000:0001'],
    ['', ''],
  ])('%s is written as %s', (given, written) => {
    const response = new FakeResponse();
    response.address = given;
    expect(peerAddress(response.driver)).toBe(written);
  });
});

describe('trusted peers', () => {
  const trusted = trustedPeers(['10.0.0.0/8', '192.0.2.7', '2001:db8::/32', '::1']);
  it.each([
    '10.0.0.1',
    '10.255.255.255',
    '192.0.2.7',
    '2001:0db8:0000:0000:0000:0000:0000:0001',
    '0000:0000:0000:0000:0000:0000:0000:0001',
  ])('%s is one', (address) => {
    expect(trusted(address)).toBe(true);
  });
  it.each(['11.0.0.1', '192.0.2.8', '2001:0db9::1', '', 'nonsense', '10.0.0.1 '])('%j is none', (address) => {
    expect(trusted(address)).toBe(false);
  });
  it('nobody is, where nobody is named', () => {
    expect(trustedPeers([])('127.0.0.1')).toBe(false);
  });
});
