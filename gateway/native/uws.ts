/**
 * The door to uWebSockets.js: nothing else loads it. Called by each listener thread at its start.
 *
 * The package's own binary is tried first. Where the system's glibc is older than it asks for, a copy with three
 * renamed imports is loaded instead (`glibc.ts`): the one an install left beside the original, else one in a cache
 * folder of this user, which is written on first use.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type * as Package from 'uWebSockets.js';
import { cacheFolders, copyBeside, ensureCached, verifyCopy } from './copy.ts';
import { compatibleCopy, GLIBC_ASKED, GLIBC_OLDEST, KNOWN_COPIES, sha256 } from './glibc.ts';
import { currentPlatform, isOlder, type Platform, platformText } from './platform.ts';

export type {
  HttpRequest,
  TemplatedApp as HttpApp,
  us_listen_socket as ListenSocket,
  us_socket_context_t as SocketContext,
  WebSocket as DriverSocket,
  WebSocketBehavior,
} from 'uWebSockets.js';

/** The package's types leave out the certificate. */
export interface HttpResponse extends Package.HttpResponse {
  /**
   * The certificate that the caller showed, PEM; empty where it showed none. Only an App that speaks TLS has this, and it asks
   * for certificates where it has a `ca_file_name`: it refuses the handshake of who shows one that those authorities did not
   * sign, and lets in who shows none. Cost: 3 µs.
   */
  getX509Certificate?(): string;
}

/** An App that speaks TLS. The package's types leave out how one App hands its connections to another. */
export interface SecureApp extends Package.TemplatedApp {
  /** What `addChildAppDescriptor` takes. Each call leaves a few bytes behind: call it once. */
  getDescriptor(): unknown;
  /** Connections that come to this App's socket go to the other from now on; to several in turn. */
  addChildAppDescriptor(descriptor: unknown): this;
  removeChildAppDescriptor(descriptor: unknown): this;
}

/** The part of uWebSockets.js that the gateway uses. */
export type Driver = Pick<typeof Package, 'App' | 'us_listen_socket_close' | 'us_socket_local_port'> & {
  /** Reads the files before it returns, and throws when it cannot use them. Without any it serves nobody by itself. */
  SSLApp(options: Package.AppOptions): SecureApp;
  /** Process-wide switches that the package's types leave out. `silent` drops the `uWebSockets` response header. */
  _cfg(name: 'silent'): void;
};

/** No binary of uWebSockets.js loads here. The message says what was tried, on what system, and what would help. */
export class DriverUnavailable extends Error {
  override readonly name = 'DriverUnavailable';
  readonly tried: readonly Attempt[];

  constructor(tried: readonly Attempt[], platform: Platform) {
    const attempts = tried.map(({ path, reason }) => `  tried  ${path}: ${reason}\n`).join('');
    super(
      `the HTTP driver uWebSockets.js does not load\n${attempts}` +
        `  here   ${platformText(platform)}\n  help   ${remedy(tried, platform)}`,
    );
    this.tried = tried;
  }
}

export interface Attempt {
  readonly path: string;
  readonly reason: string;
}

const require = createRequire(import.meta.url);
let loaded: LoadedDriver | undefined;

interface LoadedDriver {
  readonly driver: Driver;
  readonly file: string;
}

/**
 * Loads the driver for this thread. Later calls in the same thread return the same one.
 *
 * Cost: 10 ms, and 15 more where a copy has to be checked; none of that where another thread of this process has found it
 * and tells the `file` (`findDriver`).
 * Errors: DriverUnavailable.
 */
export function loadDriver(file?: string): Driver {
  if (file !== undefined) loaded ??= { driver: require(file) as Driver, file };
  return found().driver;
}

/** Loads the driver for this thread, too, and says from which file. Errors: DriverUnavailable. */
export function findDriver(): string {
  return found().file;
}

function found(): LoadedDriver {
  if (loaded !== undefined) return loaded;
  const platform = currentPlatform();
  loaded = openDriver(nativeBinary(platform), cacheFolders(), platform);
  return loaded;
}

/** The path of the package's binary for this system, which need not exist. Errors: DriverUnavailable. */
export function nativeBinary(platform: Platform): string {
  const name = `uws_${platform.os}_${platform.arch}_${platform.abi}.node`;
  try {
    return join(dirname(require.resolve('uWebSockets.js')), name);
  } catch (error) {
    throw new DriverUnavailable([{ path: 'uWebSockets.js', reason: reasonOf(error) }], platform);
  }
}

/** Loads the driver from a given binary, with given cache folders. Errors: DriverUnavailable. */
export function openDriver(original: string, caches: readonly string[], platform: Platform): LoadedDriver {
  const tried: Attempt[] = [];
  // Loading a glibc binary under musl can end the process instead of throwing.
  if (platform.os === 'linux' && platform.glibc === undefined) throw new DriverUnavailable(tried, platform);
  try {
    return { driver: require(original) as Driver, file: original };
  } catch (error) {
    tried.push({ path: original, reason: reasonOf(error) });
    if (!canCopyLoad(error, platform)) throw new DriverUnavailable(tried, platform);
  }

  const bytes = readFileSync(original);
  const copySha256 = KNOWN_COPIES.get(sha256(bytes));
  if (copySha256 === undefined) {
    tried.push({ path: 'a copy for older glibc', reason: `no edit is known for SHA-256 ${sha256(bytes)}` });
    throw new DriverUnavailable(tried, platform);
  }
  const beside = copyBeside(original, copySha256);
  const installed = (): string => {
    verifyCopy(beside, copySha256);
    return beside;
  };
  const cached = caches.map((folder) => ({
    path: folder,
    find: () => ensureCached(folder, original, copySha256, () => compatibleCopy(bytes)),
  }));
  for (const { path, find } of [{ path: beside, find: installed }, ...cached]) {
    try {
      const file = find();
      return { driver: require(file) as Driver, file };
    } catch (error) {
      tried.push({ path, reason: reasonOf(error) });
    }
  }
  throw new DriverUnavailable(tried, platform);
}

/** Tells whether a binary failed to load only because of the glibc version that a copy does without. */
export function canCopyLoad(error: unknown, { glibc }: Platform): boolean {
  return (
    error instanceof Error &&
    (error as NodeJS.ErrnoException).code === 'ERR_DLOPEN_FAILED' &&
    error.message.includes(`\`${GLIBC_ASKED}' not found`) &&
    glibc !== undefined &&
    !isOlder(glibc, GLIBC_OLDEST)
  );
}

function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.split('\n', 1).join('');
}

function remedy(tried: readonly Attempt[], { os, glibc }: Platform): string {
  if (os === 'linux' && glibc === undefined) {
    return 'use a system with glibc, such as the image node:24-trixie-slim; there is no binary for musl (Alpine)';
  }
  if (glibc !== undefined && isOlder(glibc, GLIBC_OLDEST)) {
    return `use a system with glibc ${GLIBC_OLDEST} or newer, such as Debian 12 or Ubuntu 24.04`;
  }
  if (tried.some(({ reason }) => reason.includes('Cannot find module'))) {
    return 'run Node 20, 22 or 24 on Linux, macOS (x64, arm64) or Windows (x64), and install again with npm ci';
  }
  if (tried.some(({ reason }) => reason.includes('no edit is known'))) {
    return `use a system with glibc ${GLIBC_ASKED.slice('GLIBC_'.length)} or newer, or install the pinned version again`;
  }
  return 'let XDG_CACHE_HOME name a folder of this user on a disk that allows programs, or install with scripts on';
}
