/** Opens sockets to the host of one upstream URL, by TLS where the URL says so. */
import { isIP, type Socket } from 'node:net';
import type { buildConnector } from 'undici';
import type { UpstreamConfig } from '../config/schema.ts';
import type { UpstreamTls } from '../tls/upstream-tls.ts';
import { undici } from './undici.ts';

/** Calls `done` once, with an open socket or with why there is none. */
export type OpenSocket = (options: buildConnector.Options, done: buildConnector.Callback) => void;

export interface Connector {
  /** The name that TLS asks for and verifies: configured or the URL's, never the caller's Host. An address has none to send. */
  readonly servername: string;
  readonly open: OpenSocket;
}

export function connectorOf(
  { hostname }: URL,
  { connectTimeoutMs }: Pick<UpstreamConfig, 'connectTimeoutMs'>,
  tls: UpstreamTls | null,
): Connector {
  const connect = undici().buildConnector({
    timeout: connectTimeoutMs,
    ...(tls === null || tls.ca === null ? {} : { ca: tls.ca }),
    ...(tls === null || tls.cert === null ? {} : { cert: tls.cert, key: tls.key! }),
  });
  const name = tls?.serverName ?? hostname;
  const servername = isIP(name.replace(/^\[|\]$/g, '')) === 0 ? name : '';
  return { servername, open: (options, done) => connect({ ...options, servername }, done) };
}

/** For a request that is not undici's: the URL says it all. */
export function openSocketTo(
  url: URL,
  connector: Connector,
  done: (error: Error | null, socket: Socket | null) => void,
): void {
  const { protocol, hostname, host, port } = url;
  const usual = protocol === 'https:' ? '443' : '80';
  connector.open({ protocol, hostname, host, port: port === '' ? usual : port }, (error, socket) =>
    done(error, socket),
  );
}
