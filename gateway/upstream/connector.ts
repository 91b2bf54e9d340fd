/** Opens sockets to the host of one upstream URL, by TLS where the URL says so. */
import { isIP, type Socket } from 'node:net';
import { buildConnector } from 'undici';
import type { UpstreamConfig } from '../config/schema.ts';

/** Calls `done` once, with an open socket or with why there is none. */
export type OpenSocket = (options: buildConnector.Options, done: buildConnector.Callback) => void;

export interface Connector {
  /** The name that TLS asks for and verifies: the URL's, never the caller's Host. An address has no name to send. */
  readonly servername: string;
  readonly open: OpenSocket;
}

export function connectorOf(
  { hostname }: URL,
  { connectTimeoutMs }: Pick<UpstreamConfig, 'connectTimeoutMs'>,
): Connector {
  const connect = buildConnector({ timeout: connectTimeoutMs });
  const servername = isIP(hostname.replace(/^\[|\]$/g, '')) === 0 ? hostname : '';
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
