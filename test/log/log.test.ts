import * as fc from 'fast-check';
import { mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AccessLog, type AccessEntry, type AccessMode } from '../../gateway/log/access.ts';
import { openLog, type LogLevel } from '../../gateway/log/logger.ts';
import { RepeatedWarnings } from '../../gateway/log/repeats.ts';

type Line = Record<string, unknown>;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sallyport-log-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** A log into a file; reading it closes it. */
function open(level: LogLevel = 'info') {
  const file = join(folder, 'log');
  const sink = openLog({ level, thread: 'listener-0', destination: openSync(file, 'a') });
  let closed: Promise<void> | null = null;
  const text = async (): Promise<string> => {
    closed ??= sink.close();
    await closed;
    return readFileSync(file, 'utf8');
  };
  const lines = async (): Promise<Line[]> => {
    const all = (await text()).split('\n');
    expect(all.pop()).toBe('');
    return all.map((line) => JSON.parse(line) as Line);
  };
  return { ...sink, text, lines };
}

describe('the log', () => {
  it('writes a JSON object a line with level, time, thread, fields and message', async () => {
    const { logger, lines } = open();
    logger.info({ port: 8080 }, 'listening');
    expect(await lines()).toEqual([
      {
        level: 'info',
        time: expect.stringMatching(/^\d{4}-.*Z$/) as string,
        thread: 'listener-0',
        port: 8080,
        msg: 'listening',
      },
    ]);
  });

  it('keeps to its level, and a new level holds for loggers that were made before', async () => {
    const { logger, setLevel, lines } = open('warn');
    const child = logger.with({ part: 'keys' });
    child.info({}, 'no');
    setLevel('info');
    child.info({}, 'yes');
    setLevel('silent');
    child.fatal({}, 'no');
    expect(await lines()).toMatchObject([{ part: 'keys', msg: 'yes' }]);
  });
});

describe('redaction', () => {
  const secret = 'sw0rdf1sh-' + 'x'.repeat(20);
  const jws = `eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIke3NlY3JldH0ifQ.${secret}`;

  it('finds a secret in none of the places where one could be', async () => {
    const { logger, text, lines } = open();
    const names = [
      'authorization', 'Authorization', 'proxy-authorization', 'cookie', 'set-cookie', 'code', 'token', 'access_token',
      'refreshToken', 'id_token', 'client_secret', 'password', 'passwd', 'device_code', 'user_code', 'code_verifier',
      'client_assertion', 'claims', 'sub', 'subject', 'state', 'apiKey', 'private_key', 'x-api-key',
    ]; // prettier-ignore
    for (const name of names) {
      logger.info({ [name]: secret }, 'at the top');
      logger.info({ headers: { [name]: secret } }, 'below');
      logger.info({ list: [{ deep: { er: { [name]: [secret] } } }] }, 'far below');
      logger.with({ [name]: secret }).info({}, 'bound');
    }
    logger.error(
      { err: new Error(`bad token ${jws}`, { cause: new Error(`Bearer ${secret}`) }) },
      'in an error',
    );
    logger.info({ note: `Authorization: Bearer ${secret}` }, 'in text');
    logger.info({ url: `https://user:${secret}@issuer.example/cb?code=${secret}&x=1` }, 'in an address');
    logger.info({ url: new URL(`https://issuer.example/cb?code=${secret}`) }, 'in a URL');
    logger.info({ body: `grant_type=x&refresh_token=${secret}` }, 'in a form');
    logger.info({ bytes: Buffer.from(secret) }, 'in bytes');
    logger.info({}, `in the message: ${jws}`);
    expect(await text()).not.toContain('sw0rdf1sh');
    expect(await text()).not.toContain(Buffer.from(secret).toString('base64'));
    expect((await lines()).length).toBe(4 * names.length + 7);
  });

  it('keeps what an operator needs of an error', async () => {
    const { logger, lines } = open();
    const error = Object.assign(new TypeError('refused'), { code: 'ECONNREFUSED' });
    logger.error({ err: error }, 'upstream failed');
    expect(await lines()).toMatchObject([
      { err: { type: 'TypeError', message: 'refused', errno: 'ECONNREFUSED' } },
    ]);
  });

  it('leaves a line of JSON whatever the text is', async () => {
    const { logger, lines } = open();
    let written = 0;
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary' }),
        fc.constantFrom('', 'Bearer ', '?code=', 'https://'),
        (noise, prefix) => {
          logger.info({ noise: `${prefix}${noise}"\\${prefix}${noise}` }, noise);
          written += 1;
        },
      ),
    );
    expect((await lines()).length).toBe(written);
  });

  it('survives a record that contains itself', async () => {
    const { logger, lines } = open();
    const record: Record<string, unknown> = { a: 1 };
    record['self'] = record;
    logger.info({ record }, 'round');
    expect(await lines()).toMatchObject([{ record: { a: 1 } }]);
  });
});

describe('the access log', () => {
  const entry: AccessEntry = {
    method: 'GET',
    route: 'orders',
    target: '/orders/7?access_token=secret#x',
    status: 403,
    decision: 'denied',
    reason: 'scope_insufficient',
    durationMs: 1.23456,
    requestBytes: 0,
    responseBytes: 120,
    requestId: 'abc',
    traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
    clientAddress: '192.0.2.1',
    issuer: 'main',
    kid: 'k1',
    subHash: '0123456789abcdef',
    upstream: 'orders',
    upstreamMs: null,
  };

  it('says what happened, and no query', async () => {
    const { logger, lines, text } = open();
    new AccessLog(logger, 'all', 1).write(entry);
    expect(await lines()).toMatchObject([
      {
        msg: 'request',
        method: 'GET',
        route: 'orders',
        path: '/orders/7',
        status: 403,
        decision: 'denied',
        reason: 'scope_insufficient',
        dur_ms: 1.235,
        bytes_in: 0,
        bytes_out: 120,
        request_id: 'abc',
        trace_id: '4bf92f3577b34da6a3ce929d0e0e4736',
        client: '192.0.2.1',
        issuer: 'main',
        kid: 'k1',
        sub_hash: '0123456789abcdef',
        upstream: 'orders',
        upstream_ms: null,
      },
    ]);
    expect(await text()).not.toContain('secret');
  });

  it.each<[AccessMode, number, number, boolean]>([
    ['off', 500, 0, false],
    ['errors', 399, 0, false],
    ['errors', 400, 0, true],
    ['errors', 499, 0, true],
    ['sampled', 200, 0.24, true],
    ['sampled', 500, 0.25, false],
    ['errors_and_sampled', 404, 0.99, true],
    ['errors_and_sampled', 200, 0.24, true],
    ['errors_and_sampled', 200, 0.25, false],
    ['all', 200, 0.99, true],
  ])('in mode %s a request with status %i and draw %f is wanted: %s', (mode, status, draw, wanted) => {
    const { logger } = open();
    expect(new AccessLog(logger, mode, 0.25, () => draw).wants(status)).toBe(wanted);
  });
});

describe('repeated warnings', () => {
  it('are one line an interval for each kind, with the number of the others', async () => {
    const { logger, lines } = open();
    let monotonicMs = 0;
    const warnings = new RepeatedWarnings(logger, { nowMs: () => 0, monotonicMs: () => monotonicMs });
    for (let i = 0; i < 5; i++) warnings.warn('orders:timeout', {}, 'slow');
    warnings.warn('orders:reset', {}, 'cut');
    monotonicMs = 10_000;
    warnings.warn('orders:timeout', {}, 'slow');
    monotonicMs = 20_000;
    warnings.warn('orders:timeout', {}, 'slow');
    expect((await lines()).map(({ msg, repeated }) => [msg, repeated])).toEqual([
      ['slow', undefined],
      ['cut', undefined],
      ['slow', 4],
      ['slow', undefined],
    ]);
  });

  it('are no more than 256 lines an interval, however many kinds there are', async () => {
    const { logger, lines } = open();
    let monotonicMs = 0;
    const warnings = new RepeatedWarnings(logger, { nowMs: () => 0, monotonicMs: () => monotonicMs });
    for (let i = 0; i < 2000; i++) warnings.error(`kind ${i % 1000}`, {}, 'failed');
    monotonicMs = 10_000;
    warnings.error('kind 999', {}, 'failed, later');
    const written = await lines();
    expect(written.filter(({ msg }) => msg === 'failed')).toHaveLength(256);
    expect(written.at(-1)).toMatchObject({ level: 'error', msg: 'failed, later' });
  });
});
