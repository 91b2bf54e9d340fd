/** One request to an endpoint, as the endpoints want to read it. */
import type { Exchange } from '../../core/exchange.ts';
import type { OauthMount } from '../../route/policy.ts';
import { accountOfToken } from '../account.ts';
import { type Identity, newSession, ownerOfIdentity, ownerOfSession, readSession } from './session.ts';

export class Call {
  readonly mount: OauthMount;
  readonly identity: Identity | null;
  readonly exchange: Exchange;
  readonly method: string;
  /** Below the mount: `[]` for the mount itself, one string for each segment otherwise. */
  readonly segments: readonly string[];
  readonly query: URLSearchParams;
  /** Does the caller speak TLS, with us or as far as a trusted proxy tells? */
  readonly isSecure: boolean;
  /** The session of the browser; a fresh one when it brought none. */
  readonly session: string;
  readonly isFreshSession: boolean;
  /** Digest of who asks. */
  readonly owner: Buffer;

  constructor(mount: OauthMount, identity: Identity | null, exchange: Exchange) {
    this.mount = mount;
    this.identity = identity;
    this.exchange = exchange;
    // HEAD is GET without the body, which the exchange leaves out.
    this.method = exchange.method === 'HEAD' ? 'GET' : exchange.method;
    const [path = '', query = ''] = exchange.target.split(/\?(.*)/s, 2);
    const below = path.slice(mount.base.length).replace(/^\//, '');
    this.segments = below === '' ? [] : below.split('/');
    this.query = new URLSearchParams(query);
    const told = exchange.peerTrusted ? this.field('x-forwarded-proto').toLowerCase() : '';
    this.isSecure = told === '' ? exchange.secure : told === 'https';
    const session = readSession(this.field('cookie'), this.isSecure);
    this.isFreshSession = session === null;
    this.session = session ?? newSession();
    this.owner = identity === null ? ownerOfSession(this.session) : ownerOfIdentity(identity);
  }

  /** Whose logins these are. The policy let nobody through who has neither. */
  get account(): string {
    const { mount, identity } = this;
    return mount.account ?? (identity === null ? '' : accountOfToken(identity.issuer, identity.subject));
  }

  /** What people call it. */
  get accountName(): string {
    return this.mount.account ?? this.identity?.subject ?? '';
  }

  /** The address of the mount itself. */
  get home(): string {
    return this.mount.base === '' ? '/' : this.mount.base;
  }

  /** A header field; its lines joined as RFC 9110 section 5.3 has it, cookies as RFC 9113 section 8.2.3. */
  field(name: string): string {
    const { headers } = this.exchange;
    return headers
      .filter((_, index) => index % 2 === 1 && headers[index - 1] === name)
      .join(name === 'cookie' ? '; ' : ', ');
  }
}
