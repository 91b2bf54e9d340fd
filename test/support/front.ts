/** nginx, Caddy or HAProxy of Debian, with the configuration that `sallyport snippets` prints, on a free port. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { sallyport } from './built.ts';
import { findProgram } from './debian.ts';
import { RawClient } from './raw-client.ts';
import { until } from './until.ts';

export type FrontProgram = 'nginx' | 'caddy' | 'haproxy';

/** These programs cannot be told to take any free port; one that was free a moment ago may be taken by then. */
const attemptsMax = 3;

/** Prints the snippet for a configuration. */
export function snippetOf(configFile: string, proxy: string, ...more: readonly string[]): string {
  const args = [sallyport, 'snippets', proxy, '-c', configFile, ...more];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`no snippet for ${proxy}: ${stderr}`);
  return stdout;
}

/**
 * Starts a proxy before a gateway; resolves when it listens. The caller stops it. `alter`: the snippet as somebody might
 * have spoilt it.
 */
export async function startFront(
  program: FrontProgram,
  configFile: string,
  gatewayUrl: string,
  alter: (snippet: string) => string = (snippet) => snippet,
): Promise<FrontProcess> {
  for (let attempt = 1; ; attempt++) {
    const front = new FrontProcess(program, configFile, new URL(gatewayUrl).host, await freePort(), alter);
    try {
      await front.ready();
      return front;
    } catch (error) {
      await front.stop();
      if (attempt === attemptsMax) throw error;
    }
  }
}

export class FrontProcess {
  readonly port: number;
  readonly #folder: string;
  readonly #child: ChildProcess;
  readonly #complaints: Promise<string>;
  readonly #closed: Promise<unknown>;

  constructor(
    program: FrontProgram,
    configFile: string,
    gateway: string,
    port: number,
    alter: (snippet: string) => string,
  ) {
    this.port = port;
    this.#folder = mkdtempSync(join(tmpdir(), `sallyport-${program}-`));
    const print = (...more: readonly string[]): string =>
      alter(snippetOf(configFile, program, '--gateway', gateway, '--listen', `127.0.0.1:${port}`, ...more));
    const args = prepare(program, this.#folder, print);
    this.#child = spawn(findProgram(program)!, args, {
      cwd: this.#folder,
      env: { ...process.env, HOME: this.#folder, XDG_CONFIG_HOME: this.#folder, XDG_DATA_HOME: this.#folder },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    this.#complaints = text(this.#child.stderr!);
    this.#closed = once(this.#child, 'close');
    process.once('exit', this.#kill);
  }

  readonly #kill = (): void => void this.#child.kill('SIGKILL');

  async ready(): Promise<void> {
    const listens = async (): Promise<boolean> => {
      if (this.#child.exitCode !== null) return true;
      const client = await RawClient.connect(this.port).catch(() => null);
      client?.destroy();
      return client !== null;
    };
    await until('the proxy listens', listens, 10_000);
    if (this.#child.exitCode !== null) throw new Error(`it ended\n${await this.#complaints}`);
  }

  async stop(): Promise<void> {
    process.off('exit', this.#kill);
    this.#kill();
    await this.#closed;
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** Writes what the program needs around the snippet; returns its arguments. */
function prepare(
  program: FrontProgram,
  folder: string,
  print: (...more: readonly string[]) => string,
): readonly string[] {
  const write = (name: string, content: string): void => writeFileSync(join(folder, name), content);
  switch (program) {
    case 'nginx':
      write('sallyport.conf', print());
      write(
        'nginx.conf',
        `daemon off;
master_process off;
pid nginx.pid;
error_log stderr crit;
events {}
http {
  access_log off;
  client_body_temp_path body;
  proxy_temp_path proxy;
  fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  include sallyport.conf;
}
`,
      );
      return ['-p', folder, '-c', join(folder, 'nginx.conf'), '-e', 'stderr'];
    case 'caddy':
      write('sallyport.caddy', print());
      write('Caddyfile', '{\n  admin off\n}\nimport sallyport.caddy\n');
      return ['run', '--config', join(folder, 'Caddyfile'), '--adapter', 'caddyfile'];
    case 'haproxy':
      write('haproxy.cfg', print());
      write('sallyport.lua', print('--lua'));
      return ['-db', '-f', join(folder, 'haproxy.cfg')];
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
