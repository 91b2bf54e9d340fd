/** Which client serves which URL. */
import type { UpstreamTls } from '../tls/upstream-tls.ts';
import type { OpenConnection } from './connection.ts';
import { PlainConnection } from './plain-connection.ts';
import { UndiciConnection } from './undici-connection.ts';

/** Our own client for http://; undici for https://, which it knows well and where encryption costs more than either. */
export const openingWith =
  (tls: UpstreamTls | null): OpenConnection =>
  (url, limits, changed) =>
    url.protocol === 'http:'
      ? new PlainConnection(url, limits, changed)
      : new UndiciConnection(url, limits, changed, tls);

export const openConnection = openingWith(null);
