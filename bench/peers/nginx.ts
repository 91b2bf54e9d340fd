/**
 * nginx with one worker: verifying by itself, in JavaScript or in Lua, or asking the gateway about each request (`auth_request`) with
 * the configuration that `sallyport snippets nginx` prints.
 */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { freePort, startDaemon } from '../servers/daemon.ts';
import type { Gateway } from '../servers/gateway.ts';
import type { Server } from '../servers/server.ts';
import type { Corpus } from '../tokens/corpus.ts';
import { sum } from '../usage.ts';
import { debian } from './debian.ts';
import { publicKeyOf, publicKeyPemOf } from './public-key.ts';

export interface NginxOptions {
  readonly corpus: Corpus;
  readonly core: number | null;
  /** Null answers 204 by itself. */
  readonly upstreamUrl: string | null;
}

const scripts = fileURLToPath(new URL('../../../bench/peers/', import.meta.url));

/** Verifies each token in JavaScript; see nginx-njs.js. */
export async function startNginxNjs({ corpus, core, upstreamUrl }: NginxOptions): Promise<Server> {
  const key = publicKeyOf(corpus).export({ type: 'spki', format: 'der' }).toString('base64');
  const port = await freePort();
  const http = `js_import bearer from ${scripts}nginx-njs.js;
  js_preload_object rules from rules.json;
  ${serviceOf(upstreamUrl)}
  server {
    listen 127.0.0.1:${port};
    location = /decide { js_content bearer.authorize; }
    location = /bearer { internal; js_content bearer.authorize; }
    ${upstreamUrl === null ? '' : `location /forward { auth_request /bearer; ${toService} }`}
  }`;
  return await startNginx(http, port, core, `load_module ${debian.njs.has};`, rulesFile(corpus, key));
}

/** Verifies what it has not seen, and keeps the claims; see nginx-lua.lua. */
export async function startNginxLua({ corpus, core, upstreamUrl }: NginxOptions): Promise<Server> {
  const port = await freePort();
  const http = `lua_package_path "${scripts}?.lua;;";
  init_by_lua_block { bearer = require("nginx-lua"); bearer.configure(ngx.config.prefix() .. "rules.json") }
  ${serviceOf(upstreamUrl)}
  server {
    listen 127.0.0.1:${port};
    location = /decide { content_by_lua_block { return ngx.exit(bearer.status()) } }
    ${
      upstreamUrl === null
        ? ''
        : `location /forward {
      access_by_lua_block { local status = bearer.status(); if status ~= 204 then return ngx.exit(status) end }
      ${toService}
    }`
    }
  }`;
  const modules = [debian.ndk, debian.lua].map(({ has }) => `load_module ${has};`).join('\n');
  return await startNginx(http, port, core, modules, rulesFile(corpus, publicKeyPemOf(corpus)));
}

const toService = 'proxy_pass http://service; proxy_http_version 1.1; proxy_set_header Connection "";';
const serviceOf = (url: string | null): string =>
  url === null ? '' : `upstream service { server ${new URL(url).host}; keepalive 64; }`;

function rulesFile({ issuer, audience, scope }: Corpus, key: string): Readonly<Record<string, string>> {
  return { 'rules.json': JSON.stringify({ issuer, audience, scope, key }) };
}

/** Takes `gateway` over: it is asked, counts in the usage, and is stopped with the rest. */
export async function startNginxAsking(gateway: Gateway): Promise<Server> {
  const port = await freePort();
  const places = ['--gateway', new URL(gateway.url).host, '--listen', `127.0.0.1:${port}`];
  const args = [gateway.program, 'snippets', 'nginx', '-c', gateway.configFile, ...places];
  const snippet = execFileSync(process.execPath, args, { encoding: 'utf8' });
  const nginx = await startNginx(snippet, port, null);
  return {
    ...nginx,
    usage: () => {
      const asked = gateway.usage();
      return { ...sum(nginx.usage(), asked), askedCpuSeconds: asked.cpuSeconds };
    },
    stop: async () => {
      await nginx.stop();
      await gateway.stop();
    },
  };
}

/** Bodies up to the largest of the bench stay in memory; connections last as long as those of others do. */
async function startNginx(
  http: string,
  port: number,
  core: number | null,
  modules = '',
  files: Readonly<Record<string, string>> = {},
): Promise<Server> {
  const main = `daemon off;
${modules}
worker_processes 1;
pid nginx.pid;
error_log stderr crit;
events { worker_connections 1024; }
http {
  access_log off;
  keepalive_requests 1000000;
  client_body_buffer_size 1m;
  client_body_temp_path body;
  proxy_temp_path proxy;
  fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  ${http}
}
`;
  return await startDaemon({
    command: 'nginx',
    args: (folder) => ['-p', folder, '-c', `${folder}/nginx.conf`, '-e', 'stderr'],
    files: { 'nginx.conf': main, ...files },
    port,
    core,
  });
}
