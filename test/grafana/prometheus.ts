/** A real Prometheus (Debian) in a process of its own, which scrapes one target every second, and the dashboards' questions to it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { freePort } from '../../gateway/port.ts';
import { findProgram } from '../support/debian.ts';
import { root } from '../support/built.ts';
import { until } from '../support/until.ts';

/** One line of a graph: its labels, and points as seconds since the epoch and a value. */
export interface Line {
  readonly metric: Readonly<Record<string, string>>;
  readonly values: readonly (readonly [seconds: number, value: string])[];
}

interface Answer {
  readonly status: 'success' | 'error';
  readonly error?: string;
  readonly data: unknown;
}

const job = 'sallyport';
/** Grafana takes four scrape intervals at least. */
const rateInterval = '8s';
const range = '60s';

/** Starts it on `target` (host and port). Resolves when it answers; the caller stops it. */
export async function startPrometheus(target: string): Promise<TestPrometheus> {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-prometheus-'));
  const configFile = join(folder, 'prometheus.yaml');
  writeFileSync(
    configFile,
    `global: { scrape_interval: 1s, evaluation_interval: 1s, external_labels: { runbooks: 'https://runbooks.test' } }
rule_files: ['${join(root, 'grafana/alerts/rules.yaml')}']
scrape_configs: [{ job_name: ${job}, static_configs: [{ targets: ['${target}'] }] }]
`,
  );
  const port = await freePort('127.0.0.1', 0);
  const child = spawn(
    findProgram('prometheus')!,
    [
      `--config.file=${configFile}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${String(port)}`,
      '--enable-feature=exemplar-storage',
      '--log.level=error',
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  const complaints = text(child.stderr);
  const killNow = (): void => void child.kill('SIGKILL');
  process.once('exit', killNow);
  const ended = once(child, 'exit').then(() => {
    process.off('exit', killNow);
    rmSync(folder, { recursive: true, force: true });
  });
  const url = `http://127.0.0.1:${String(port)}`;
  const ready = until('Prometheus answers', async () => (await fetch(`${url}/-/ready`)).ok, 30_000);
  await Promise.race([
    ready,
    ended.then(async () => {
      throw new Error(`Prometheus did not start\n${await complaints}`);
    }),
  ]);
  return new TestPrometheus(url, target, async () => {
    child.kill('SIGKILL');
    await ended;
  });
}

export class TestPrometheus {
  readonly stop: () => Promise<void>;
  readonly #url: string;
  readonly #instance: string;
  readonly #startSeconds = Date.now() / 1000;

  constructor(url: string, instance: string, stop: () => Promise<void>) {
    this.#url = url;
    this.#instance = instance;
    this.stop = stop;
  }

  /** What a panel would draw, from the start of Prometheus until now. Errors: what Prometheus says of the query. */
  async graph(expr: string): Promise<readonly Line[]> {
    const query = expr
      .replaceAll('$__rate_interval', rateInterval)
      .replaceAll('$__range', range)
      .replaceAll('$job', job)
      .replaceAll('$instance', this.#instance.replaceAll('.', '\\\\.'));
    const asked = { query, start: this.#startSeconds, end: Date.now() / 1000, step: '1s' };
    return (await this.ask<{ result: readonly Line[] }>('query_range', asked)).result;
  }

  async ask<T>(path: string, parameters: Readonly<Record<string, string | number>> = {}): Promise<T> {
    const query = new URLSearchParams();
    for (const [name, value] of Object.entries(parameters)) query.set(name, String(value));
    const response = await fetch(`${this.#url}/api/v1/${path}?${query.toString()}`);
    const { status, error, data } = (await response.json()) as Answer;
    if (status === 'error') throw new Error(`${error!}\n${JSON.stringify(parameters)}`);
    return data as T;
  }
}
