import { describe, expect, it } from 'vitest';
import type { Facts } from '../../gateway/core/facts.ts';
import type { Forwarding } from '../../gateway/route/policy.ts';
import { readAnswer } from '../../gateway/upstream/answer.ts';
import type { HeaderSettings } from '../../gateway/upstream/headers.ts';
import { FakeExchange, type FakeRequest } from '../support/fake-exchange.ts';
import { planOf } from './harness.ts';

const host = ['host', 'gateway.example:8080'];

interface Given extends FakeRequest {
  readonly forwarding?: Partial<Forwarding>;
  readonly settings?: Partial<HeaderSettings>;
  readonly facts?: Facts;
}

function built(sent: readonly string[], given: Given = {}): Map<string, string[]> {
  const plan = planOf(given.forwarding, given.settings);
  const fields = plan.build(new FakeExchange({ ...given, headers: [...host, ...sent] }), given.facts ?? null);
  if (!Array.isArray(fields)) throw new Error(`refused: ${fields.code}`);
  const map = new Map<string, string[]>();
  for (let i = 0; i < fields.length; i += 2) {
    map.set(fields[i]!, [...(map.get(fields[i]!) ?? []), fields[i + 1]!]);
  }
  return map;
}

const factsWith = (claims: Facts['claims']): Facts => ({ claims }) as unknown as Facts;

/** What every request gets from us. */
const ours = [
  'via',
  'forwarded',
  'x-forwarded-for',
  'x-forwarded-proto',
  'x-forwarded-host',
  'x-forwarded-port',
  'x-request-id',
];

const namesSent = (sent: readonly string[], given: Given = {}): string[] =>
  Array.from(built(sent, given).keys()).filter((name) => !ours.includes(name));

describe('U1: fields between us and the caller stay there', () => {
  it.each([
    'connection', 'keep-alive', 'te', 'trailer', 'transfer-encoding', 'upgrade', 'content-length', 'expect', 'http2-settings',
    'proxy-authorization', 'proxy-connection', 'proxy-anything', 'proxy', 'host',
  ])('%s', (name) => expect(namesSent([name, 'x', 'accept', '*/*'])).toEqual(['accept'])); // prettier-ignore

  it('fields that Connection names, in any case and with spaces', () => {
    expect(
      namesSent(['connection', 'close, X-One ,x-two', 'x-one', '1', 'x-two', '2', 'x-three', '3']),
    ).toEqual(['x-three']);
    expect(namesSent(['x-one', '1', 'connection', 'keep-alive', 'connection', 'x-one'])).toEqual([]);
  });

  it('everything else passes as it came, duplicates and bytes beyond ASCII too', () => {
    const fields = built(['cookie', 'a=1', 'cookie', 'b=2', 'x-name', 'caf\xe9', 'date', 'today']);
    expect([fields.get('cookie'), fields.get('x-name'), fields.get('date')]).toEqual([
      ['a=1', 'b=2'],
      ['caf\xe9'],
      ['today'],
    ]);
  });

  it.each([
    'x-http-method-override',
    'x_http_method_override',
    'x-original-url',
    'x-rewrite-url',
    'x-real-ip',
  ])('P1: %s would name another method, path or caller than what was decided', (name) =>
    expect(namesSent([name, 'x'])).toEqual([]),
  );
});

describe('C4: identity fields never come from callers', () => {
  const settings = { identityHeaders: new Set(['x-user', 'x-org-role']) };
  const claims = [{ name: 'x-user', projection: 0, required: false }];

  it.each(['x-user', 'x_user', 'x-org-role', 'x_org_role', 'x_org-role', 'x-org_role'])(
    '%s, on a public route too',
    (name) => {
      expect(namesSent([name, 'root'], { settings })).toEqual([]);
    },
  );

  it('duplicated, and as the 120th field', () => {
    const many = Array.from({ length: 119 }, (_, i) => [`x-${i}`, '1']).flat();
    expect(namesSent([...many, 'x-user', 'root', 'x_user', 'root'], { settings })).toHaveLength(119);
  });

  it('Connection cannot take away what we set', () => {
    const names = ['connection', 'x-user, x-forwarded-for, x-tenant, x-request-id, via, forwarded'];
    const given = { settings, forwarding: { claims, set: ['x-tenant', 'a'] }, facts: factsWith(['anna']) };
    const fields = built([...names, 'x-user', 'root'], given);
    expect([fields.get('x-user'), fields.get('x-tenant'), fields.get('x-forwarded-for')]).toEqual([
      ['anna'],
      ['a'],
      ['203.0.113.9'],
    ]);
    expect(ours.every((name) => fields.has(name))).toBe(true);
  });

  it('a claim replaces what came', () => {
    const fields = built(['x-user', 'root', 'x_user', 'root'], {
      settings,
      forwarding: { claims },
      facts: factsWith(['anna']),
    });
    expect([fields.get('x-user'), fields.get('x_user')]).toEqual([['anna'], undefined]);
  });

  it('an absent claim leaves the field out', () => {
    const fields = built(['x-user', 'root'], { settings, forwarding: { claims }, facts: factsWith([null]) });
    expect(fields.has('x-user')).toBe(false);
  });

  it.each([
    ['cannot be a field', false, false],
    ['is required and absent', null, true],
  ] as const)('a claim that %s is refused', (_, value, required) => {
    const plan = planOf({ claims: [{ name: 'x-user', projection: 0, required }] });
    expect(plan.build(new FakeExchange(), factsWith([value]))).toMatchObject({ code: 'claim_unforwardable' });
  });
});

describe('what a route says', () => {
  it('Authorization only where asked, and in no other spelling', () => {
    const sent = ['authorization', 'Bearer t', 'authorization_', 'x', 'proxy_authorization', 'y'];
    expect(namesSent(sent)).toEqual(['authorization_']);
    expect(namesSent(sent, { forwarding: { authorization: true } })).toEqual([
      'authorization',
      'authorization_',
    ]);
  });

  it('removes, then sets', () => {
    const fields = built(['x-a', '1', 'x_b', '2', 'x-c', '3'], {
      forwarding: { remove: ['x-a', 'x-b'], set: ['x-a', 'ours'] },
    });
    expect([fields.get('x-a'), fields.has('x_b'), fields.get('x-c')]).toEqual([['ours'], false, ['3']]);
  });

  it('the Host of the caller only where asked', () => {
    expect(built([]).has('host')).toBe(false);
    expect(built([], { forwarding: { host: 'original' } }).get('host')).toEqual(['gateway.example:8080']);
  });
});

describe('RFC 7239: where a request came from', () => {
  const told = [
    'forwarded', 'for=198.51.100.7', 'x-forwarded-for', '198.51.100.7', 'x-forwarded-proto', 'https',
    'x-forwarded-host', 'shop.example', 'x-forwarded-port', '443', 'x-forwarded-prefix', '/evil', 'x-request-id', 'theirs',
  ]; // prettier-ignore

  it('a stranger is not believed', () => {
    const fields = built([...told, 'x_forwarded_for', '1.2.3.4', 'x-forwarded-for', '5.6.7.8']);
    expect(Object.fromEntries(fields)).toEqual({
      via: ['1.1 sallyport'],
      forwarded: ['for=203.0.113.9;host="gateway.example:8080";proto=http'],
      'x-forwarded-for': ['203.0.113.9'],
      'x-forwarded-proto': ['http'],
      'x-forwarded-host': ['gateway.example:8080'],
      'x-forwarded-port': ['8080'],
      'x-request-id': ['id-1'],
    });
  });

  it('says that the caller speaks TLS with us, unless a trusted peer knows better', () => {
    const secure = built(['host', 'gateway.example'], { secure: true });
    expect(secure.get('x-forwarded-proto')).toEqual(['https']);
    expect(secure.get('x-forwarded-port')).toEqual(['443']);
    expect(secure.get('forwarded')).toEqual(['for=203.0.113.9;host="gateway.example";proto=https']);
    const told = built(['x-forwarded-proto', 'http'], { secure: true, peerTrusted: true });
    expect(told.get('x-forwarded-proto')).toEqual(['http']);
  });

  it('a trusted peer is, and is added to what it told', () => {
    const fields = built([...told, 'x-forwarded-for', '192.0.2.1', 'via', '1.1 edge'], {
      peerTrusted: true,
      peerAddress: '10.0.0.1',
    });
    expect(Object.fromEntries(fields)).toEqual({
      via: ['1.1 edge, 1.1 sallyport'],
      forwarded: ['for=198.51.100.7, for=10.0.0.1;host="gateway.example:8080";proto=http'],
      'x-forwarded-for': ['198.51.100.7, 192.0.2.1, 10.0.0.1'],
      'x-forwarded-proto': ['https'],
      'x-forwarded-host': ['shop.example'],
      'x-forwarded-port': ['443'],
      'x-request-id': ['id-1'],
    });
  });

  it.each([
    ['x-forwarded-proto', 'gopher', 'http'],
    ['x-forwarded-proto', 'https, http', 'http'],
    ['x-forwarded-port', '443; x', '8080'],
  ])('%s: %s is not understood from anybody', (name, value, expected) => {
    expect(built([name, value], { peerTrusted: true }).get(name)).toEqual([expected]);
  });

  it('an IPv6 address is bracketed and quoted in Forwarded', () => {
    const fields = built([], { peerAddress: '2001:db8::1' });
    expect(fields.get('forwarded')).toEqual(['for="[2001:db8::1]";host="gateway.example:8080";proto=http']);
    expect(fields.get('x-forwarded-for')).toEqual(['2001:db8::1']);
  });
});

describe('RFC 9110 section 7.6.1: the head of an answer', () => {
  const read = (fields: readonly string[], status = 200, minor = 1, method = 'GET') =>
    readAnswer(method, status, minor, fields, 'x-request-id');

  it('keeps what is for the caller, in order, each Set-Cookie by itself', () => {
    const fields = [
      'date',
      'd',
      'server',
      's',
      'set-cookie',
      'a',
      'x-request-id',
      'theirs',
      'set-cookie',
      'b',
    ];
    expect(read([...fields, 'content-length', '3'])).toEqual({
      headers: ['date', 'd', 'server', 's', 'set-cookie', 'a', 'set-cookie', 'b'],
      length: 3,
      framing: 'sized',
      persistent: true,
      keepAliveMs: null,
    });
  });

  it('drops what is between us and the upstream, and what Connection names', () => {
    const fields = ['connection', 'close', 'connection', 'X-A', 'x-a', '1', 'keep-alive', '1', 'trailer', 't', 'upgrade', 'u', 'te', 't', 'proxy-authenticate', 'p', 'proxy-connection', 'p', 'x-b', '2']; // prettier-ignore
    expect(read(fields)?.headers).toEqual(['x-b', '2']);
  });

  it.each([
    [['transfer-encoding', 'gzip']],
    [['transfer-encoding', 'chunked', 'transfer-encoding', 'chunked']],
    [['transfer-encoding', 'chunked', 'content-length', '1']],
    [['content-length', '1', 'content-length', '1']],
    [['content-length', '-1']],
    [['content-length', '9999999999999999']],
  ])('refuses %j', (fields) => expect(read(fields)).toBeNull());

  it.each([
    ['GET', 200, ['transfer-encoding', 'Chunked'], 'chunked'],
    ['GET', 200, [], 'to-end'],
    ['HEAD', 200, ['transfer-encoding', 'chunked'], 'none'],
    ['HEAD', 200, ['content-length', '3'], 'none'],
    ['GET', 204, [], 'none'],
    ['GET', 304, ['content-length', '3'], 'none'],
  ] as const)('RFC 9112 section 6.3: %s, %i, %j is framed %s', (method, status, fields, framing) =>
    expect(read(fields, status, 1, method)?.framing).toBe(framing),
  );

  it.each([
    [1, ['content-length', '0'], true],
    [1, ['content-length', '0', 'connection', 'x, Close'], false],
    [1, [], false],
    [0, ['content-length', '0'], false],
    [0, ['content-length', '0', 'connection', 'Keep-Alive'], true],
    [0, ['transfer-encoding', 'chunked', 'connection', 'keep-alive'], false],
  ] as const)(
    'RFC 9112 section 9.3: HTTP/1.%i with %j keeps the connection: %s',
    (minor, fields, persistent) => {
      expect(read(fields, 200, minor)?.persistent).toBe(persistent);
    },
  );

  it.each([
    ['timeout=5', 5000],
    ['max=3, Timeout=5', 5000],
    ['x-timeout=5', null],
    ['timeout=x', null],
  ])('reads Keep-Alive: %s', (value, ms) => expect(read(['keep-alive', value])?.keepAliveMs).toBe(ms));

  it('has no length for 204, whatever it announces, and the announced one for 304', () => {
    expect(read(['content-length', '5'], 204)?.length).toBeNull();
    expect(read(['content-length', '5'], 304)?.length).toBe(5);
  });
});

describe('trace context', () => {
  const sent = ['traceparent', '00-a-b-01', 'tracestate', 'v=1', 'TRACE_PARENT', 'x'];
  it('passes where it is taken, and not a field of it where it is not', () => {
    expect(built(sent).get('traceparent')).toEqual(['00-a-b-01']);
    const dropped = built(sent, { settings: { keepsTrace: false } });
    expect(dropped.has('traceparent') || dropped.has('tracestate')).toBe(false);
  });
});
