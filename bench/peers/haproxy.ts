/**
 * HAProxy, set up as its documentation shows it for bearer tokens (Configuration Manual 2.6, sections 7.3.1 `jwt_verify` and
 * 7.3.6 `http_auth_bearer`): algorithm, issuer, audience, signature, expiry and scope.
 */
import type { Certificate } from '../servers/certificate.ts';
import { freePort, startDaemon } from '../servers/daemon.ts';
import type { Server } from '../servers/server.ts';
import type { Corpus } from '../tokens/corpus.ts';
import { publicKeyPemOf } from './public-key.ts';

export interface HaproxyOptions {
  readonly threads: number;
  readonly core: number | null;
  /** Null forwards whatever comes. */
  readonly corpus: Corpus | null;
  /** Null answers 204 by itself. */
  readonly upstreamUrl: string | null;
  readonly tls?: Certificate;
}

export async function startHaproxy(options: HaproxyOptions): Promise<Server> {
  const port = await freePort();
  const server = await startDaemon({
    command: 'haproxy',
    args: (folder) => ['-db', '-f', `${folder}/haproxy.cfg`],
    files: {
      'haproxy.cfg': config(options, port),
      ...(options.corpus === null ? {} : { 'key.pem': publicKeyPemOf(options.corpus) }),
    },
    port,
    core: options.core,
  });
  return options.tls === undefined ? server : { ...server, url: server.url.replace('http:', 'https:') };
}

const config = ({ threads, corpus, upstreamUrl, tls }: HaproxyOptions, port: number): string => `global
  nbthread ${threads}
  maxconn 12000
  no strict-limits
defaults
  mode http
  timeout client 60s
  timeout server 60s
  timeout connect 5s
frontend bench
  bind 127.0.0.1:${port}${tls === undefined ? '' : ` ssl crt ${tls.certFile}`}
${corpus === null ? '' : rules(corpus)}
  ${upstreamUrl === null ? 'http-request return status 204' : 'default_backend service'}
${upstreamUrl === null ? '' : `backend service\n  http-reuse always\n  server service ${new URL(upstreamUrl).host}`}
`;

const rules = ({ algorithm, issuer, audience, scope }: Corpus): string => `
  http-request set-var(txn.bearer) http_auth_bearer
  http-request set-var(txn.alg) var(txn.bearer),jwt_header_query('$.alg')
  http-request deny deny_status 401 unless { var(txn.alg) -m str ${algorithm} }
  http-request deny deny_status 401 unless { var(txn.bearer),jwt_payload_query('$.iss') -m str ${issuer} }
  http-request deny deny_status 401 unless { var(txn.bearer),jwt_payload_query('$.aud') -m str ${audience} }
  http-request deny deny_status 401 unless { var(txn.bearer),jwt_verify(txn.alg,"key.pem") 1 }
  http-request set-var(txn.exp) var(txn.bearer),jwt_payload_query('$.exp','int')
  http-request set-var(txn.now) date()
  http-request deny deny_status 401 if { var(txn.exp),sub(txn.now) -m int lt 0 }
  http-request deny deny_status 403 unless { var(txn.bearer),jwt_payload_query('$.scope') -m reg '(^| )${scope}( |$)' }`;
