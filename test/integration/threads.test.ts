/** Threads of the built gateway that throw, hang and end, and the signals that end all of them. */
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Arena, arenaConfig, bytesOf, mint } from '../hardening/arena.ts';
import { built } from '../support/built.ts';
import { type LogLine, startGateway, testPreamble } from '../support/gateway.ts';
import { RawClient } from '../support/raw-client.ts';
import type { BreakOrder } from '../support/thread-breaker.ts';
import { ask, outcomeOf } from '../support/traffic.ts';
import { until } from '../support/until.ts';

let arena: Arena;
const preload = built('test/support/thread-breaker.js');

async function start(
  listener = 'threads: 2',
  verifier = 'threads: 1',
  shutdown = 'timeout_ms: 2000',
): Promise<void> {
  const preamble = testPreamble
    .replace('threads: 1', listener)
    .replace(/shutdown: .*\n/, `shutdown: { ${shutdown} }\nverifier: { deadline_ms: 300, ${verifier} }\n`);
  arena = await Arena.start({ preload, config: (url) => arenaConfig(url, preamble) });
}

const kill = async ({ sallyport, backend }: Arena): Promise<void> => {
  sallyport.process.kill('SIGKILL');
  await sallyport.exited;
  await backend.close();
};

afterEach(() => kill(arena));

/** Two gateways with a listener that hangs. To notice takes long, so they end while the other tests run. */
const hanging: Arena[] = [];

beforeAll(async () => {
  for (const signal of [null, 'SIGTERM'] as const) {
    await start('threads: 2', 'threads: 1', 'timeout_ms: 1000');
    hanging.push(arena);
    breakIt({ target: 'listener-1', how: 'hang' });
    if (signal === null) continue;
    // The order must have arrived before the one to drain does.
    await until('a connection gets no answer', async () => {
      const answered = RawClient.once(arena.port, bytesOf('/open/x'), { timeoutMs: 500 });
      return await answered.then(
        () => false,
        () => true,
      );
    });
    arena.sallyport.signal(signal);
  }
});
afterAll(() => Promise.all(hanging.map(kill)));

const breakIt = (order: BreakOrder): void => void arena.sallyport.process.send(order);
const outcome = async (path: string, token?: string): Promise<string> =>
  outcomeOf(await ask(arena.sallyport.url, { path, ...(token === undefined ? {} : { token }) }));

/** The first line with this message, from the line of that number on. */
const logged = (message: string, from = 0): Promise<LogLine> =>
  until(`a line "${message}"`, () => arena.sallyport.logs.slice(from).find(({ msg }) => msg === message));

/** Connections with a request under way at the backend, until both listeners have some. */
async function underWay(count: number): Promise<RawClient[]> {
  arena.onRequest = () => {};
  const all = await Promise.all(Array.from({ length: count }, () => RawClient.connect(arena.port)));
  for (const client of all) client.send(bytesOf('/open/waits'));
  await arena.backend.until(() => arena.reached.length === count);
  return all;
}

describe('a listener that fails', () => {
  it.each(['throw', 'reject', 'exit'] as const)(
    'by %s is started again; its connections are closed, the others undisturbed',
    async (how) => {
      await start();
      const all = await underWay(24);
      breakIt({ target: 'listener-1', how });
      const died = await logged('listener died');
      expect(died).toMatchObject({ level: 'error', listener: 1, restart_in_ms: 100 });
      await until('it serves again', async () => (await arena.sallyport.metric('sallyport_listeners')) === 2);
      const closed = all.filter((client) => client.closed);
      expect(closed.length).toBeGreaterThan(0);
      expect(closed.length).toBeLessThan(all.length);
      // Those of the other listener are answered.
      for (const socket of arena.backend.sockets)
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
      for (const client of all) if (!client.closed) expect((await client.read()).text).toBe('ok');
      for (const client of all) client.destroy();
      for (let i = 0; i < 20; i += 1) expect(await outcome('/decide', mint())).toBe('204');
      expect(await arena.sallyport.metric('sallyport_listener_restarts_total')).toBe(1);
      expect((await arena.sallyport.stop()).code).toBe(0);
    },
  );

  it('again and again is started with growing pauses', async () => {
    await start('threads: 1');
    const pauses: unknown[] = [];
    for (let i = 0; i < 3; i += 1) {
      const from = arena.sallyport.logs.length;
      breakIt({ target: 'listener-0', how: 'throw' });
      pauses.push((await logged('listener died', from)).restart_in_ms);
      await logged('listener started', from);
    }
    expect(pauses).toEqual([100, 200, 400]);
    expect(await outcome('/decide', mint())).toBe('204');
    expect((await arena.sallyport.stop()).code).toBe(0);
  });

  it('keeps its counts, and metrics and readiness are answered meanwhile', async () => {
    await start('threads: 1');
    const requests = (): Promise<number> =>
      arena.sallyport.metric('sallyport_http_requests_total', 'code="204"');
    expect(await outcome('/decide', mint())).toBe('204');
    await until('it is counted', async () => (await requests()) === 1);
    breakIt({ target: 'listener-0', how: 'throw' });
    await logged('listener died');
    expect(await requests()).toBe(1);
    await until(
      'it is ready again',
      async () => (await fetch(`${arena.sallyport.adminUrl}/readyz`)).status === 200,
    );
    expect(await outcome('/decide', mint())).toBe('204');
    // Counted behind the answer.
    await until('it is counted', async () => (await requests()) === 2);
    expect((await arena.sallyport.stop()).code).toBe(0);
  });
});

describe('V3: a verify worker that fails', () => {
  it.each(['throw', 'exit', 'hang'] as const)(
    'by %s is replaced; tokens are 503 meanwhile and never 401',
    async (how) => {
      await start('threads: 1');
      const familiar = mint();
      expect(await outcome('/decide', familiar)).toBe('204');
      // More at once than a listener judges itself, so that some go to the worker.
      const burst = (): Promise<string[]> =>
        Promise.all(Array.from({ length: 16 }, () => outcome('/decide', mint())));
      await until('the worker has started', async () => {
        await burst();
        return (await arena.sallyport.metric('sallyport_verify_batch_tokens_count')) > 0;
      });
      breakIt({ target: 'verify-worker', how });
      const outcomes = new Set<string>();
      let good = 0;
      await until('tokens are verified again', async () => {
        expect(await outcome('/decide', familiar)).toBe('204');
        const answers = await burst();
        for (const each of answers) outcomes.add(each);
        // Until the order has arrived all is well, so a few in a row are asked for.
        good = answers.every((each) => each === '204') ? good + 1 : 0;
        return good >= 3 && (await arena.sallyport.metric('sallyport_verify_worker_restarts_total')) >= 1;
      });
      for (const seen of outcomes) expect(seen).toMatch(/^(?:204|503 verifier_(?:failed|timeout|full))$/);
      expect((await arena.sallyport.stop()).code).toBe(0);
    },
  );
});

describe('the main thread', () => {
  it.each(['throw', 'reject'] as const)(
    'that fails by %s ends the listeners first, and the process with 1',
    async (how) => {
      await start();
      const all = await underWay(4);
      breakIt({ target: 'main', how });
      expect(await arena.sallyport.exited).toEqual({ code: 1, signal: null });
      expect(arena.sallyport.logs.map(({ msg }) => msg)).toContain('the main thread failed');
      expect(await arena.sallyport.complaints()).toBe('');
      for (const client of all) client.destroy();
    },
  );
});

describe('signals', () => {
  it('D6: a second SIGTERM ends at once, with 143', async () => {
    await start('threads: 2', 'threads: 1', 'timeout_ms: 30000');
    const all = await underWay(4);
    arena.sallyport.signal('SIGTERM');
    await logged('draining');
    const startedMs = performance.now();
    arena.sallyport.signal('SIGTERM');
    expect(await arena.sallyport.exited).toEqual({ code: 143, signal: null });
    expect(performance.now() - startedMs).toBeLessThan(5000);
    for (const client of all) client.destroy();
  });

  it('D6: requests that do not end are cut off after the timeout, and the exit is still in order', async () => {
    await start('threads: 2', 'threads: 1', 'timeout_ms: 500');
    const all = await underWay(4);
    arena.sallyport.signal('SIGTERM');
    expect((await arena.sallyport.exited).signal).toBe(null);
    for (const client of all) expect((await client.readToEnd()).length).toBe(0);
  });

  it('a signal while a listener is being started again ends in order', async () => {
    await start();
    breakIt({ target: 'listener-0', how: 'throw' });
    await logged('listener died');
    arena.sallyport.signal('SIGTERM');
    expect(await arena.sallyport.exited).toEqual({ code: 0, signal: null });
  });
});

describe('an address', () => {
  it('that is in use is said clearly, and the exit is 1', async () => {
    await start();
    const server = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as AddressInfo;
    for (const text of [
      testPreamble.replace('port: 0', `port: ${port}`),
      testPreamble.replace(/(admin.*)port: 0/, `$1port: ${port}`),
    ]) {
      const failed = startGateway(arenaConfig('http://127.0.0.1:1', text), {
        files: { 'keys.json': '{"keys":[]}' },
      });
      await expect(failed).rejects.toThrow(new RegExp(`${port}[\\s\\S]*Another program listens there`));
    }
    server.close();
  });

  it('that another gateway listens on is in use too, though the driver would share it', async () => {
    await start();
    const text = testPreamble.replace('port: 0', `port: ${arena.port}`);
    const failed = startGateway(arenaConfig('http://127.0.0.1:1', text), {
      files: { 'keys.json': '{"keys":[]}' },
    });
    await expect(failed).rejects.toThrow(/EADDRINUSE[\s\S]*Another program listens there/);
    await arena.expectHealthy();
  });
});

describe('a listener that hangs', () => {
  const expectKilled = async ({ sallyport }: Arena): Promise<void> => {
    expect(await sallyport.exited).toEqual({ code: null, signal: 'SIGKILL' });
    const said = sallyport.logs.find(({ msg }) => msg === 'a listener hangs; the process ends');
    expect(said).toMatchObject({ level: 'fatal', listener: 1 });
    expect(await sallyport.complaints()).toBe('');
  };

  it('has the others drained and the process killed', () => expectKilled(hanging[0]!));
  it('does not keep SIGTERM from ending the process', () => expectKilled(hanging[1]!));
});
