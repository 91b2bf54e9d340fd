import { describe, expect, it } from 'vitest';
import { type RefusalCode, refusalCodes, refusals } from '../../gateway/core/errors.ts';
import { type Asker, Responder } from '../../gateway/listener/respond.ts';
import type { Facts } from '../../gateway/core/facts.ts';
import { defaultErrorProfile } from '../../gateway/route/error-profile.ts';
import { compileMatcher } from '../../gateway/route/match.ts';
import type { FixedResponse, Policy, Route } from '../../gateway/route/policy.ts';
import type { ErrorProfile } from '../../gateway/route/source.ts';
import { policyOf, routeNamed, typed } from '../route/policies.ts';
import { FakeResponse } from './fake-driver.ts';

const names = { requestId: 'x-request-id', correlationId: 'correlation-id' };
const responder = new Responder('our realm', names);
const servingOf = (policy: Policy): Asker['serving'] => ({
  reissuer: null,
  policy,
  matcher: compileMatcher(policy),
});
const served = (errors: ErrorProfile): Asker['serving'] =>
  servingOf(
    policyOf([{ path: '/a', upstream: 'app' }], {
      ...typed,
      errorProfiles: { it: errors },
      listener: { errorProfile: 'it' },
    }),
  );
const asker: Asker = {
  requestId: 'id-1',
  correlationId: '',
  headOnly: false,
  lastAnswer: false,
  driverCloses: false,
  path: '/a',
  route: null,
  facts: null,
  fields: [],
  counted: null,
  serving: served(defaultErrorProfile),
};
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));

/** What is sent for a refusal, later than the request's callback. */
async function sent(code: RefusalCode, more: Partial<Asker> = {}): Promise<string[]> {
  const response = new FakeResponse();
  responder.refuseLater(response.driver, refusals[code], { ...asker, ...more });
  await turn();
  return response.calls;
}

/** The one answer in a list of calls, as text: also of those whose body is the tail of a field. */
const textOf = (calls: readonly string[]): string => calls.join('\n');

describe('a refusal', () => {
  it.each(refusalCodes)(
    '%s has its status, a problem body with its code, the id, and is not stored',
    async (code) => {
      const calls = await sent(code);
      const { status, title, close } = refusals[code];
      expect(calls[0]).toBe('cork');
      expect(calls[1]).toMatch(new RegExp(`^${status} [A-Z]`));
      expect(calls).toContain('x-request-id: id-1');
      expect(calls).toContain('Cache-Control: no-store');
      const body = JSON.parse(/\{.*\}/.exec(textOf(calls))![0]) as unknown;
      expect(body).toEqual({ type: `urn:sallyport:refusal:${code}`, title, status, code });
      expect(calls.at(-1) === 'close').toBe(close);
    },
  );

  it.each(refusalCodes.filter((code) => refusals[code].close))(
    '%s announces exactly the bytes that follow its head',
    async (code) => {
      const calls = await sent(code);
      expect(calls).toContain('Connection: close');
      const length = Number(calls.find((call) => call.startsWith('Content-Length: '))!.slice(16));
      const last = calls.at(-2)!;
      // The driver ends the field with a line break, which is the end of the body.
      expect(length).toBe(Buffer.byteLength(`${last.slice(last.indexOf('\r\n\r\n') + 4)}\r\n`));
    },
  );

  it('to HEAD has the length and not the body', async () => {
    expect(textOf(await sent('route_not_found', { headOnly: true }))).toMatch(/end of \d+ bytes unsent$/);
    const closing = await sent('host_invalid', { headOnly: true });
    expect(closing.at(-2)).toBe('Content-Type: application/problem+json\r\n');
  });

  it.each([
    ['credentials_missing', 'Bearer realm="our realm"'],
    [
      'token_expired',
      'Bearer realm="our realm", error="invalid_token", error_description="The token has expired."',
    ],
    [
      'credentials_ambiguous',
      'Bearer realm="our realm", error="invalid_request", error_description="Credentials were sent more than once."',
    ],
  ] as const)('%s challenges', async (code, challenge) => {
    expect(await sent(code)).toContain(`WWW-Authenticate: ${challenge}`);
  });

  it('for a scope names the scopes that the route asks for, and for others does not', async () => {
    const route = { access: { challengeScope: 'orders:read' } } as unknown as Route;
    expect(textOf(await sent('scope_insufficient', { route }))).toContain(
      'error="insufficient_scope", error_description="The token lacks a required scope.", scope="orders:read"',
    );
    expect(textOf(await sent('token_expired', { route }))).not.toContain('scope=');
  });

  it('that may pass says when to come again', async () => {
    expect(await sent('verifier_full')).toContain('Retry-After: 1');
    expect(textOf(await sent('token_expired'))).not.toContain('Retry-After');
  });

  it('that closes waits for a turn, and is not sent to a caller who left in it', async () => {
    const response = new FakeResponse();
    responder.refuseNow(response.driver, refusals.framing_invalid, asker);
    expect(response.calls).toEqual([]);
    response.abort();
    await turn();
    expect(response.calls).toEqual([]);
  });

  it('behind very many in one turn waits for the next, and comes whole', async () => {
    const busy = new Responder('our realm', names);
    const all = Array.from({ length: 600 }, () => new FakeResponse());
    for (const response of all) busy.refuseNow(response.driver, refusals.route_not_found, asker);
    const answered = (): number => all.filter(({ calls }) => calls.length > 0).length;
    expect(answered()).toBe(512);
    await turn();
    expect(answered()).toBe(600);
    const next = new FakeResponse();
    busy.refuseNow(next.driver, refusals.route_not_found, asker);
    expect(next.calls.length).toBeGreaterThan(0);
  });

  it('of the method says which are allowed', () => {
    const response = new FakeResponse();
    responder.refuseNow(response.driver, refusals.method_not_allowed, asker, 'GET, HEAD');
    expect(response.calls).toContain('Allow: GET, HEAD');
  });

  it('in a drain asks the caller to leave', async () => {
    expect(textOf(await sent('route_not_found', { lastAnswer: true }))).toMatch(/, closing$/);
  });
});

describe('a refusal in the profile `detail`', () => {
  const detail = { body: 'detail', challenge: false, reasons: false } as const;
  const plain = served(detail);
  const talkative = served({ ...detail, reasons: true });
  const answer = async (code: RefusalCode, more: Partial<Asker> = {}): Promise<string> => {
    const calls = await sent(code, { serving: plain, ...more });
    const type = calls.find((call) => call.startsWith('Content-Type: '))!.slice(14);
    expect(type.replace(/\r\n.*$/s, '')).toBe('application/json');
    expect(textOf(calls)).not.toContain('WWW-Authenticate');
    const body = JSON.parse(/\{.*\}/.exec(textOf(calls))![0]) as { detail: string };
    expect(Object.keys(body)).toEqual(['detail']);
    return `${calls[1]!.slice(0, 3)} ${body.detail}`;
  };

  it.each([
    ['credentials_missing', '401 Missing auth token'],
    ['credentials_ambiguous', '403 Invalid auth token'],
    ['credentials_malformed', '403 Invalid auth token'],
    ['route_not_found', '404 Not Found'],
    ['method_not_allowed', '405 Method Not Allowed'],
  ] as const)('%s is %s', async (code, expected) => {
    expect(await answer(code)).toBe(expected);
  });

  it.each(refusalCodes.filter((code) => refusals[code].challenge === 'invalid_token'))(
    'F2: %s is a 403 that does not say why, unless it is asked to',
    async (code) => {
      expect(await answer(code)).toBe('403 Invalid auth token');
      expect(await answer(code, { serving: talkative })).toMatch(/^403 Invalid auth token: .+/);
    },
  );

  it.each(refusalCodes.filter((code) => refusals[code].status >= 500))(
    '%s stays what it is: our failure is not the token’s',
    async (code) => {
      expect(await answer(code)).toBe(`${refusals[code].status} ${refusals[code].title}`);
    },
  );

  it('F4, F5: names the token type and what the route says of its subject', async () => {
    const policy = policyOf(
      [
        {
          path: '/ti/{id}',
          id: 'run',
          upstream: 'app',
          tokenTypes: ['workload', 'execution'],
          subject: { param: 'id', detail: 'Token subject does not match task instance ID' },
        },
        { path: '/b/{id}', id: 'bare', upstream: 'app', subject: { param: 'id' } },
      ],
      { ...typed, errorProfiles: { it: detail }, listener: { errorProfile: 'it' } },
    );
    const facts = { issuer: 0, tokenType: 4 } as Facts;
    const on = (id: string): Partial<Asker> => ({
      serving: servingOf(policy),
      route: routeNamed(policy, id),
      facts,
    });
    expect(await answer('token_type_not_allowed', on('run'))).toBe(
      "403 Token type 'callback' not allowed for this endpoint. Allowed types: execution, workload",
    );
    expect(await answer('subject_mismatch', on('run'))).toBe(
      '403 Token subject does not match task instance ID',
    );
    expect(await answer('subject_mismatch', on('bare'))).toBe(
      '403 The token subject does not match the resource.',
    );
  });

  it('is that of the closed prefix which the path is below, where nothing is served', async () => {
    const policy = policyOf(
      [
        {
          prefix: '/closed',
          closed: true,
          errorProfile: 'it',
          upstream: 'app',
          routes: [{ path: '/a', methods: ['GET'] }],
        },
        { path: '/open', upstream: 'app' },
      ],
      { ...typed, errorProfiles: { it: detail } },
    );
    const serving = servingOf(policy);
    expect(await answer('route_not_found', { serving, path: '/closed/none' })).toBe('404 Not Found');
    expect(await answer('method_not_allowed', { serving, path: '/closed/a' })).toBe('405 Method Not Allowed');
    for (const [code, path] of [['route_not_found', '/other'], ['path_not_canonical', '/closed/%']] as const)
      expect(textOf(await sent(code, { serving, path }))).toContain(`"code":"${code}"`); // prettier-ignore
  });

  it('that closes announces exactly the bytes that follow its head', async () => {
    const calls = await sent('host_invalid', { serving: plain });
    const last = calls.at(-2)!;
    const body = `${last.slice(last.indexOf('\r\n\r\n') + 4)}\r\n`;
    expect(calls).toContain(`Content-Length: ${Buffer.byteLength(body)}`);
  });
});

describe('a correlation id', () => {
  it('is sent back as it came, bytes above ASCII too, and only when one came', async () => {
    expect(await sent('route_not_found', { correlationId: 'c-1' })).toContain('correlation-id: c-1');
    expect(textOf(await sent('route_not_found'))).not.toContain('correlation-id');
    const fake = new FakeResponse();
    responder.respond(
      fake.driver,
      { status: 200, headers: [], body: '' },
      { ...asker, correlationId: '\xe9' },
    );
    expect(textOf(fake.calls)).toContain('correlation-id: ');
  });
});

describe('a fixed response', () => {
  const fixed = (status: number, body = 'text'): FixedResponse => ({ status, headers: ['x-a', '1'], body });
  const answered = (response: FixedResponse, more: Partial<Asker> = {}): string[] => {
    const fake = new FakeResponse();
    responder.respond(fake.driver, response, { ...asker, ...more });
    return fake.calls;
  };
  it('has its status, its fields and its body', () => {
    expect(answered(fixed(200))).toEqual(['200 OK', 'x-request-id: id-1', 'x-a: 1', 'end text']);
  });
  it('that the socket does not take at once is ended when it does', () => {
    const fake = new FakeResponse();
    fake.room = 3;
    responder.respond(fake.driver, fixed(200, 'abcdefgh'), asker);
    expect(fake.writable()).toBe(false);
    expect(fake.writable()).toBe(true);
    expect(fake.calls.slice(-3)).toEqual(['end abc', 'end def', 'end gh']);
  });
  it.each([204, 304])('of %d has no body and no length', (status) => {
    expect(answered(fixed(status)).at(-1)).toBe('end of no bytes unsent');
    expect(answered(fixed(status), { lastAnswer: true })).toContain('Connection: close');
  });
  it('to HEAD has the length in bytes', () => {
    expect(answered(fixed(200, '\u20ac'), { headOnly: true }).at(-1)).toBe('end of 3 bytes unsent');
  });
});
