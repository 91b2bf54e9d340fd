/** What a proxy has to know to forward by the decisions of one configuration. Each file beside this writes it for one kind. */
import type { Config } from '../config/schema.ts';
import { ownedFields, upstreamFor } from '../decision/answer.ts';
import type { ProxyMode } from '../decision/mode.ts';
import { mountsOf } from '../decision/mounts.ts';
import { upstreamField, upstreamTag } from '../decision/tag.ts';
import type { Policy, Route } from '../route/policy.ts';

export interface FrontUpstream {
  readonly tag: string;
  readonly urls: readonly URL[];
}

export interface Front {
  /** `host:port` of the gateway, as the proxy reaches it. */
  readonly gateway: string;
  /** `host:port` where the proxy listens. */
  readonly listen: string;
  readonly mountPath: string;
  readonly upstreams: readonly FrontUpstream[];
  /** Fields that are the gateway's to say (`ownedFields`), but for that of the upstream. */
  readonly fields: readonly string[];
  readonly routes: readonly Route[];
  /** The gateway believes `Client-Cert` of this proxy (RFC 9440). */
  readonly tellsCertificate: boolean;
}

export interface FrontOptions {
  readonly gateway?: string | undefined;
  readonly listen: string;
}

/** A sentence where there is no such front. */
export function frontOf(
  config: Config,
  policy: Policy,
  mode: ProxyMode,
  options: FrontOptions,
): Front | string {
  const mounts = config.decision === undefined ? [] : mountsOf(config.decision);
  const mount = mounts.find((each) => each.mode === mode);
  if (mount === undefined)
    return `there is no mount to ask: add \`decision: { peers: […], mounts: [{ mode: ${mode} }] }\``;
  const gateway = options.gateway ?? gatewayOf(config);
  if (gateway === null) return 'the port of the listener is 0: say by --gateway where the proxy reaches it';
  const used = new Set(policy.routes.map(upstreamFor));
  const upstreams = Object.entries(config.upstreams)
    .map(([name, { urls }]) => ({ tag: upstreamTag(name), urls: urls.map((url) => new URL(url)) }))
    .filter(({ tag }) => used.has(tag));
  const fields = ownedFields(policy).filter((name) => name !== upstreamField);
  return {
    gateway,
    listen: options.listen,
    mountPath: mount.path,
    upstreams,
    fields,
    routes: policy.routes,
    tellsCertificate: config.listener.trustClientCert,
  };
}

function gatewayOf({ listener: { host, port } }: Config): string | null {
  if (port === 0) return null;
  if (host === '0.0.0.0') return `127.0.0.1:${port}`;
  if (host === '::') return `[::1]:${port}`;
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** `host:port`, the port of the scheme where the URL has none. */
export function authorityOf({ hostname, port, protocol }: URL): string {
  return `${hostname}:${port === '' ? (protocol === 'https:' ? '443' : '80') : port}`;
}

/** Host and port, the host without the brackets of an IPv6 address. */
export function splitAuthority(authority: string): readonly [host: string, port: string] {
  const at = authority.lastIndexOf(':');
  return [authority.slice(0, at).replaceAll(/[[\]]/g, ''), authority.slice(at + 1)];
}

export const isTls = ({ urls }: FrontUpstream): boolean => urls[0]!.protocol === 'https:';

/** Fields that say which certificate a caller has shown: it is not for the caller to say (RFC 9440 section 4). */
export const certificateFields = ['Client-Cert', 'Client-Cert-Chain'] as const;

/** `x-user-id` as `X-User-Id`: how people write fields. */
export const titled = (name: string): string =>
  name.replaceAll(/(?:^|-)[a-z]/g, (start) => start.toUpperCase());

/** A pattern for every spelling of a field that servers may take for it: `_` is `-` to many. */
export const spellings = (name: string): string =>
  name.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&').replaceAll(/[-_]/g, '[-_]');

/** Lines, each behind `indent`. */
export const block = (indent: string, lines: readonly string[]): string =>
  lines.map((line) => (line === '' ? '' : indent + line)).join('\n');
