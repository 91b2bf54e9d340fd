/** What contenders need of Debian, and how to get it. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';

export interface DebianPackage {
  readonly name: string;
  /** A program, or the path of a file. */
  readonly has: string;
}

export const debian = {
  haproxy: { name: 'haproxy', has: 'haproxy' },
  nginx: { name: 'nginx', has: 'nginx' },
  njs: { name: 'libnginx-mod-http-js', has: '/usr/lib/nginx/modules/ngx_http_js_module.so' },
  ndk: { name: 'libnginx-mod-http-ndk', has: '/usr/lib/nginx/modules/ndk_http_module.so' },
  lua: { name: 'libnginx-mod-http-lua', has: '/usr/lib/nginx/modules/ngx_http_lua_module.so' },
  luaCache: { name: 'lua-resty-lrucache', has: '/usr/share/lua/5.1/resty/lrucache.lua' },
  luaJson: { name: 'lua-cjson', has: '/usr/share/lua/5.1/cjson/util.lua' },
  luaOpenssl: { name: 'lua-luaossl', has: '/usr/share/lua/5.1/openssl.lua' },
  apache: { name: 'apache2', has: 'apache2' },
  openidc: { name: 'libapache2-mod-auth-openidc', has: '/usr/lib/apache2/modules/mod_auth_openidc.so' },
  wrk: { name: 'wrk', has: 'wrk' },
  openssl: { name: 'openssl', has: 'openssl' },
} as const satisfies Readonly<Record<string, DebianPackage>>;

/** What nginx needs to verify in Lua. */
export const nginxWithLua = [
  debian.nginx,
  debian.ndk,
  debian.lua,
  debian.luaCache,
  debian.luaJson,
  debian.luaOpenssl,
] as const;

/** Those that are not installed. */
export function missingOf(packages: readonly DebianPackage[]): DebianPackage[] {
  return packages.filter(({ has }) => !isInstalled(has));
}

function isInstalled(file: string): boolean {
  if (isAbsolute(file)) return existsSync(file);
  return `${process.env['PATH'] ?? ''}:/usr/sbin`.split(':').some((folder) => existsSync(join(folder, file)));
}

/** Of those that are installed, by name. */
export function installedVersions(): Record<string, string> {
  const names = Object.values(debian).map(({ name }) => name);
  // It fails when one of them is not installed, and has said the others by then.
  const { stdout } = spawnSync('dpkg-query', ['-W', '-f', '${Package} ${Version}\n', ...names], {
    encoding: 'utf8',
  });
  const known = [...(stdout ?? '').matchAll(/^(\S+) (\S+)$/gm)];
  return Object.fromEntries(known.map(([, name, version]) => [name!, version!] as const));
}
