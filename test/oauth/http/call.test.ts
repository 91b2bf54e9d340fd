/** How a request is read before any endpoint answers: where it is for, whose it is, and where it comes from. */
import { describe, expect, it } from 'vitest';
import { Call } from '../../../gateway/oauth/http/call.ts';
import { originOf } from '../../../gateway/oauth/http/origin.ts';
import {
  formToken,
  isFormToken,
  newSession,
  ownerOfIdentity,
  sessionCookie,
} from '../../../gateway/oauth/http/session.ts';
import type { OauthMount } from '../../../gateway/route/policy.ts';
import { FakeExchange, type FakeRequest } from '../../support/fake-exchange.ts';

const mount: OauthMount = { kind: 'json', base: '/oauth', account: 'team', open: false };
const call = (request: FakeRequest, identity: { issuer: string; subject: string } | null = null): Call =>
  new Call(mount, identity, new FakeExchange(request));

const sessionA = 'A'.repeat(22);
const sessionB = 'B'.repeat(22);

describe('the path', () => {
  it.each([
    ['/oauth', []],
    ['/oauth/', []],
    ['/oauth/flows', ['flows']],
    ['/oauth/flows/x/cancel?a=/b', ['flows', 'x', 'cancel']],
  ])('%s is %j below the mount', (target, segments) => {
    expect(call({ target }).segments).toEqual(segments);
  });

  it('at the root has the same segments', () => {
    const root = new Call({ ...mount, base: '' }, null, new FakeExchange({ target: '/flows/x' }));
    expect(root.segments).toEqual(['flows', 'x']);
    expect([root.home, call({}).home]).toEqual(['/', '/oauth']);
  });
});

describe('the session (RFC 6265bis)', () => {
  it('is the one that the cookie carries, and its owner is the same in every call', () => {
    const headers = ['host', 'x', 'cookie', `theme=dark; sallyport=${sessionA}`];
    const [one, two] = [call({ headers }), call({ headers })];
    expect(one.isFreshSession).toBe(false);
    expect(one.session).toBe(sessionA);
    expect(one.owner).toEqual(two.owner);
    expect(one.owner).toHaveLength(32);
    expect(one.owner.toString('latin1')).not.toContain(sessionA);
  });

  it.each([
    ['no cookie', []],
    ['a short one', ['cookie', 'sallyport=abc']],
    ['an empty one', ['cookie', 'sallyport=']],
    ['two to choose from', ['cookie', `sallyport=${sessionA}; sallyport=${sessionB}`]],
    ['two lines to choose from', ['cookie', `sallyport=${sessionA}`, 'cookie', `sallyport=${sessionB}`]],
    ['one of another name', ['cookie', `xsallyport=${sessionA}`]],
    ['the TLS one without TLS', ['cookie', `__Host-sallyport=${sessionA}`]],
  ])('is a fresh one with %s', (_, cookies) => {
    const first = call({ headers: ['host', 'x', ...cookies] });
    expect(first.isFreshSession).toBe(true);
    expect(first.session).toMatch(/^[A-Za-z0-9_-]{22}$/);
    expect(first.session).not.toBe(call({ headers: ['host', 'x', ...cookies] }).session);
  });

  it('has a name that binds it to host and TLS where a trusted proxy tells of TLS, and only there', () => {
    const headers = [
      'x-forwarded-proto',
      'https',
      'cookie',
      `__Host-sallyport=${sessionA}; sallyport=${sessionB}`,
    ];
    expect(call({ headers, peerTrusted: true }).session).toBe(sessionA);
    expect(call({ headers, peerTrusted: false }).session).toBe(sessionB);
    expect(call({ headers: headers.slice(2), secure: true }).session).toBe(sessionA);
    expect(sessionCookie(sessionA, true)).toBe(
      `__Host-sallyport=${sessionA}; Secure; Path=/; HttpOnly; SameSite=Lax`,
    );
    expect(sessionCookie(sessionA, false)).toBe(`sallyport=${sessionA}; Path=/; HttpOnly; SameSite=Lax`);
  });
});

describe('the owner', () => {
  it('is the subject of the token where there is one, whatever the cookie says', () => {
    const identity = { issuer: 'main', subject: 'alice' };
    const [one, two] = [
      call({ headers: ['cookie', `sallyport=${sessionA}`] }, identity),
      call({ headers: [] }, identity),
    ];
    expect(one.owner).toEqual(two.owner);
    expect(one.owner).not.toEqual(call({ headers: ['cookie', `sallyport=${sessionA}`] }).owner);
  });

  it('has an account that is named after the issuer, too, unless the mount names one', () => {
    const of = (issuer: string, account: string | null): string =>
      new Call({ ...mount, account }, { issuer, subject: 'alice' }, new FakeExchange({})).account;
    expect([of('main', null), of('other', null), of('main', 'team')]).toEqual([
      'main/alice',
      'other/alice',
      'team',
    ]);
  });

  it('differs where issuer and subject run into each other', () => {
    const pairs = [
      { issuer: 'a', subject: 'b\nc' },
      { issuer: 'a\nb', subject: 'c' },
      { issuer: 'ab', subject: 'c' },
      { issuer: 'a', subject: 'bc' },
    ];
    expect(new Set(pairs.map((pair) => ownerOfIdentity(pair).toString('hex'))).size).toBe(pairs.length);
  });
});

describe('the token of a form', () => {
  it('is good for its own session only', () => {
    const [mine, theirs] = [newSession(), newSession()];
    expect(isFormToken(mine, formToken(mine))).toBe(true);
    expect(isFormToken(theirs, formToken(mine))).toBe(false);
    expect(isFormToken(mine, '')).toBe(false);
    expect(isFormToken(mine, `${formToken(mine)}x`)).toBe(false);
    expect(formToken(mine)).not.toContain(mine);
  });
});

describe('where a request comes from', () => {
  it.each([
    ['same', ['host', 'gw.example', 'sec-fetch-site', 'same-origin']],
    ['same', ['host', 'gw.example', 'sec-fetch-site', 'none']],
    ['cross-site', ['host', 'gw.example', 'sec-fetch-site', 'cross-site']],
    ['cross-site', ['host', 'gw.example', 'sec-fetch-site', 'same-site']],
    ['cross-site', ['host', 'gw.example', 'sec-fetch-site', 'same-origin, cross-site']],
    ['same', ['host', 'gw.example', 'origin', 'https://gw.example']],
    ['same', ['host', 'gw.example:8080', 'origin', 'http://gw.example:8080']],
    ['same', ['host', 'gw.example:80', 'origin', 'http://gw.example']],
    ['mismatch', ['host', 'gw.example', 'origin', 'https://evil.example']],
    ['mismatch', ['host', 'gw.example', 'origin', 'https://gw.example.evil.example']],
    ['mismatch', ['host', 'gw.example', 'origin', 'https://gw.example:8443']],
    ['cross-site', ['host', 'gw.example', 'origin', 'null']],
    ['cross-site', ['host', 'gw.example', 'origin', 'https://gw.example, https://evil.example']],
    ['unsaid', ['host', 'gw.example']],
  ])('%s: %j', (verdict, headers) => {
    expect(originOf(call({ headers }))).toBe(verdict);
  });

  it('the host that a proxy tells counts where it is trusted', () => {
    const headers = ['host', 'inner:8080', 'x-forwarded-host', 'gw.example', 'origin', 'https://gw.example'];
    expect(originOf(call({ headers, peerTrusted: true }))).toBe('same');
    expect(originOf(call({ headers }))).toBe('mismatch');
  });
});
