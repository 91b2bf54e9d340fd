/**
 * The built program in a process of its own, with a configuration of its own in a temporary folder. Ports are the system's
 * choice. It ends with the test process at the latest.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import { text } from 'node:stream/consumers';
import { sallyport } from './built.ts';
import { until } from './until.ts';

export type LogLine = Readonly<Record<string, unknown>> & { readonly level: string; readonly msg: string };

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface ReloadAnswer {
  readonly status: number;
  readonly outcome: 'applied' | 'unchanged' | 'rejected';
  readonly errors: readonly string[];
}

export interface GatewayOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Further files beside the configuration, by name. */
  readonly files?: Readonly<Record<string, string>>;
  /** A module that every thread of the program loads first; its main thread can talk to the test (`process.send`). */
  readonly preload?: string;
}

const stopMsMax = 15_000;

/** Lines that every configuration of a test starts with. */
export const testPreamble = `version: 1
listener: { host: 127.0.0.1, port: 0, threads: 1 }
admin: { host: 127.0.0.1, port: 0 }
shutdown: { timeout_ms: 10000 }
`;

/** Starts the program on `configText`; resolves when it serves. The caller stops it. */
export async function startGateway(configText: string, options: GatewayOptions = {}): Promise<TestGateway> {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-test-'));
  for (const [name, content] of Object.entries(options.files ?? {}))
    writeFileSync(join(folder, name), content);
  const configFile = join(folder, 'sallyport.yaml');
  writeFileSync(configFile, configText);
  const preloading =
    options.preload === undefined ? {} : { NODE_OPTIONS: `--import ${pathToFileURL(options.preload).href}` };
  const child = spawn(process.execPath, [sallyport, 'start', '-c', configFile], {
    cwd: folder,
    env: { ...process.env, ...options.env, ...preloading },
    stdio: ['ignore', 'pipe', 'pipe', ...(options.preload === undefined ? [] : ['ipc' as const])],
  });
  const gateway = new TestGateway(child, folder, configFile);
  await gateway.ready();
  return gateway;
}

export class TestGateway {
  readonly pid: number;
  readonly configFile: string;
  /** What it logged so far. */
  readonly logs: LogLine[] = [];
  readonly exited: Promise<Exit>;
  url = '';
  adminUrl = '';
  readonly process: ChildProcess;
  readonly #complaints: Promise<string>;
  #exit: Exit | null = null;

  constructor(child: ChildProcess, folder: string, configFile: string) {
    this.process = child;
    this.configFile = configFile;
    this.pid = child.pid!;
    this.#complaints = text(child.stderr!);
    createInterface({ input: child.stdout! }).on('line', (line) => this.#hear(line));
    const killNow = (): void => void child.kill('SIGKILL');
    process.once('exit', killNow);
    this.exited = once(child, 'close').then(([code, signal]) => {
      process.off('exit', killNow);
      rmSync(folder, { recursive: true, force: true });
      this.#exit = { code: code as number | null, signal: signal as NodeJS.Signals | null };
      return this.#exit;
    });
  }

  async ready(): Promise<void> {
    const serving = until('the gateway serves', () => this.url !== '' || this.#exit !== null, 30_000);
    await serving.catch(() => this.process.kill('SIGKILL'));
    if (this.url !== '') return;
    const said = this.logs.map((line) => JSON.stringify(line)).join('\n');
    throw new Error(`the gateway did not start\n${said}\n${await this.#complaints}`);
  }

  /** Replaces the configuration file, which the gateway watches. */
  writeConfig(configText: string): void {
    writeFileSync(this.configFile, configText);
  }

  /** Asks for a reload over the admin listener. */
  async reload(): Promise<ReloadAnswer> {
    const response = await fetch(`${this.adminUrl}/-/reload`, { method: 'POST' });
    return { status: response.status, ...((await response.json()) as Omit<ReloadAnswer, 'status'>) };
  }

  async metrics(): Promise<string> {
    return (await fetch(`${this.adminUrl}/metrics`)).text();
  }

  /** The sum of a metric over all series whose labels contain `labels` (as written in the exposition). */
  async metric(name: string, ...labels: readonly string[]): Promise<number> {
    let sum = 0;
    for (const line of (await this.metrics()).split('\n')) {
      const [series, value] = line.split(/ (?=[^ ]*$)/);
      // Labels may hold braces themselves: ids of routes do.
      const [, seriesName = '', seriesLabels = ''] = /^([^{]*)(.*)$/.exec(series!) ?? [];
      if (seriesName === name && labels.every((label) => seriesLabels.includes(label))) sum += Number(value);
    }
    return sum;
  }

  signal(name: NodeJS.Signals): void {
    this.process.kill(name);
  }

  /** Ends the gateway as a process manager does; by force if it does not comply. */
  async stop(): Promise<Exit> {
    this.process.kill('SIGTERM');
    const force = setTimeout(() => this.process.kill('SIGKILL'), stopMsMax);
    const exit = await this.exited;
    clearTimeout(force);
    return exit;
  }

  /** What it wrote to standard error; resolves when it has ended. */
  complaints(): Promise<string> {
    return this.#complaints;
  }

  #hear(line: string): void {
    if (!line.startsWith('{')) return;
    const entry = JSON.parse(line) as LogLine;
    this.logs.push(entry);
    if (entry.msg !== 'serving') return;
    this.url = `http://127.0.0.1:${Number(entry.port)}`;
    this.adminUrl = `http://127.0.0.1:${Number(entry.admin_port)}`;
  }
}
