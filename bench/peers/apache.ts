/**
 * Apache httpd with mod_auth_openidc as a resource server (its wiki, "OAuth 2.0 Resource Server"): one process, the event MPM, and
 * a thread for each connection of the load. It verifies each token anew; only answers of introspection would be kept.
 */
import { freePort, startDaemon } from '../servers/daemon.ts';
import type { Server } from '../servers/server.ts';
import type { Corpus } from '../tokens/corpus.ts';
import { publicKeyPemOf } from './public-key.ts';

export interface ApacheOptions {
  readonly corpus: Corpus;
  readonly core: number | null;
  /** Null answers 204 by itself. */
  readonly upstreamUrl: string | null;
}

const modules = ['mpm_event', 'authn_core', 'authz_core', 'auth_openidc', 'rewrite', 'proxy', 'proxy_http'];
const threads = 128;

export async function startApache(options: ApacheOptions): Promise<Server> {
  const port = await freePort();
  return await startDaemon({
    command: 'apache2',
    args: (folder) => ['-DFOREGROUND', '-d', folder, '-f', `${folder}/apache.conf`],
    files: { 'apache.conf': config(options, port), 'key.pem': publicKeyPemOf(options.corpus) },
    port,
    core: options.core,
  });
}

const config = ({ corpus, upstreamUrl }: ApacheOptions, port: number): string => `
${modules.map((name) => `LoadModule ${name}_module /usr/lib/apache2/modules/mod_${name}.so`).join('\n')}
ServerName bench
Listen 127.0.0.1:${port}
PidFile apache.pid
ErrorLog error.log
LogLevel crit
User www-data
Group www-data
ServerLimit 1
StartServers 1
ThreadLimit ${threads}
ThreadsPerChild ${threads}
MaxRequestWorkers ${threads}
MinSpareThreads 1
MaxSpareThreads ${threads}
KeepAliveTimeout 60
MaxKeepAliveRequests 0
OIDCOAuthVerifyCertFiles bench-1#key.pem
OIDCOAuthRemoteUserClaim sub
<LocationMatch "^/(decide|forward)$">
  AuthType oauth20
  <RequireAll>
    Require claim "iss:${corpus.issuer}"
    Require claim "aud:${corpus.audience}"
    Require claim "scope~(^| )${corpus.scope}( |$)"
  </RequireAll>
</LocationMatch>
<Location "/decide">
  RewriteEngine on
  RewriteRule ^ - [R=204,L]
</Location>
${upstreamUrl === null ? '' : `ProxyPass "/forward" "${upstreamUrl}/forward" keepalive=On max=${threads}`}
`;
