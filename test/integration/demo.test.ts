/** `sallyport start` without a configuration: what it prints is done here, word by word. */
import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, cpSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { built, root, sallyport } from '../support/built.ts';
import { describeWith } from '../support/debian.ts';
import { until } from '../support/until.ts';

const run = promisify(execFile);

interface Stop {
  readonly status: number;
  readonly title: string;
  readonly line: string;
}

/** Takes a port for itself, or leaves it to who has it already: what matters is that the demo cannot have it. */
function occupy(port: number): Promise<Server> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', () => resolve(server));
    server.listen({ host: '127.0.0.1', port }, () => resolve(server));
  });
}

describeWith('curl', 'the demo', () => {
  let program: ChildProcess;
  let printed = '';
  let complained = '';
  let occupied: Server;
  let stops: readonly Stop[] = [];

  beforeAll(async () => {
    occupied = await occupy(8080);
    program = spawn(process.execPath, [sallyport, 'start'], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    program.stdout!.setEncoding('utf8').on('data', (chunk: string) => (printed += chunk));
    program.stderr!.setEncoding('utf8').on('data', (chunk: string) => (complained += chunk));
    await until('the demo serves', () => printed.includes('Ctrl-C') || program.exitCode !== null, 60_000);
    stops = [...printed.matchAll(/^ {2}# (\d{3}) {2}(.+)\n {2}(.+)$/gm)].map(([, status, title, line]) => ({
      status: Number(status),
      title: title!,
      line: line!,
    }));
  });

  afterAll(async () => {
    occupied.close();
    if (program.exitCode === null) program.kill('SIGKILL');
  });

  it('prints lines for a success, a missing token and a missing scope', () => {
    expect(complained).toBe('');
    expect(stops.map((stop) => stop.status)).toEqual([200, 401, 403, 200, 403, 200, 200, 200, 403, 200, 200]);
  });

  it('prints lines that a shell answers with the status it printed', async () => {
    for (const { line, status, title } of stops) {
      const { stdout } = await run('sh', ['-c', line]);
      expect({ title, status: Number(/^HTTP\/1\.1 (\d+) /.exec(stdout)?.[1]) }).toEqual({ title, status });
    }
  });

  it('takes another port where the documented one is in use, and prints that one', () => {
    expect(printed).toMatch(/gateway {3}http:\/\/127\.0\.0\.1:\d+/);
    expect(printed).not.toContain('http://127.0.0.1:8080');
  });

  it('shows the upstream the subject and not the token', async () => {
    const { stdout } = await run('sh', ['-c', stops[0]!.line]);
    expect(stdout).toContain('"x-user": "bob"');
    expect(stdout).not.toContain('eyJ');
  });

  it('ends with exit 0 on Ctrl-C, and takes the provider and the service along', async () => {
    const addresses = [...printed.matchAll(/(?:issuer|upstream|logins) +(http:\S+)/g)].map(
      ([, address]) => address!,
    );
    expect(addresses).toHaveLength(3);
    const exited = once(program, 'exit');
    program.kill('SIGINT');
    expect(await exited).toEqual([0, null]);
    for (const address of addresses) {
      await until(`${address} is gone`, () =>
        fetch(address).then(
          () => false,
          () => true,
        ),
      );
    }
  });
});

describe('the installed package', () => {
  it('has no demo, and says what to do instead', () => {
    const folder = mkdtempSync(join(tmpdir(), 'sallyport-test-'));
    try {
      for (const part of ['sallyport', 'gateway', 'sim'])
        cpSync(built(part), join(folder, 'dist', part), { recursive: true });
      copyFileSync(join(root, 'package.json'), join(folder, 'package.json'));
      symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
      const args = [join(folder, 'dist/sallyport/main.js'), 'start'];
      const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
      expect(stderr).toContain('sallyport start -c FILE');
      expect(status).toBe(2);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
