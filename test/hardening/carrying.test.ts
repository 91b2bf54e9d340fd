/** Group C: how credentials are carried, and what the gateway says of them. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RawAnswer, RawClient } from '../support/raw-client.ts';
import { Arena, arenaConfig, bytesOf, codeOf, mint } from './arena.ts';

let arena: Arena;

beforeAll(async () => {
  arena = await Arena.start({
    config: (url) =>
      arenaConfig(url)
        .replace('version: 1\n', 'version: 1\nlog: { access: all }\nidentity_headers: [x-groups]\n')
        .concat(
          `  - { prefix: /passing, issuer: main, upstream: backend, forward: { authorization: true, claims: { x-sub: sub, x-note: note } } }\n`,
        ),
  });
});
afterAll(() => arena.stop());

const withFields = (target: string, fields: string): string => bytesOf(target, { fields });
const answerTo = (bytes: string, reaches = 0): Promise<RawAnswer> =>
  arena.attack((client) => (client.send(bytes), client.read()), reaches);

describe('C1: a token is taken from one Authorization: Bearer and nowhere else', () => {
  it.each(['Bearer', 'bearer', 'BEARER', 'bEaReR'])('%s is the scheme', async (scheme) => {
    expect(await arena.send(withFields('/orders/x', `Authorization: ${scheme} ${mint()}\r\n`), 1)).toBe(
      '200',
    );
  });
  it.each([
    ['the query', (t: string) => bytesOf(`/orders/x?access_token=${t}`)],
    [
      'a cookie',
      (t: string) => withFields('/orders/x', `Cookie: access_token=${t}; Authorization=Bearer ${t}\r\n`),
    ],
    [
      'a form',
      (t: string) =>
        bytesOf('/orders/x', {
          method: 'POST',
          fields: `Content-Type: application/x-www-form-urlencoded\r\nContent-Length: ${t.length + 13}\r\n`,
          body: `access_token=${t}`,
        }),
    ],
    [
      'a trailer',
      (t: string) =>
        bytesOf('/orders/x', {
          method: 'POST',
          fields: 'Trailer: Authorization\r\nTransfer-Encoding: chunked\r\n',
          body: `0\r\nAuthorization: Bearer ${t}\r\n\r\n`,
        }),
    ],
    ['Proxy-Authorization', (t: string) => withFields('/orders/x', `Proxy-Authorization: Bearer ${t}\r\n`)],
    ['X-Authorization', (t: string) => withFields('/orders/x', `X-Authorization: Bearer ${t}\r\n`)],
    ['Authorization_', (t: string) => withFields('/orders/x', `Authorization_: Bearer ${t}\r\n`)],
    [
      'X-Forwarded-Authorization',
      (t: string) => withFields('/orders/x', `X-Forwarded-Authorization: Bearer ${t}\r\n`),
    ],
    ['X-Access-Token', (t: string) => withFields('/orders/x', `X-Access-Token: ${t}\r\n`)],
    [
      'Sec-WebSocket-Protocol',
      (t: string) => withFields('/orders/x', `Sec-WebSocket-Protocol: bearer, ${t}\r\n`),
    ],
    [
      'user information of the target',
      (t: string) => bytesOf(`http://${t.slice(0, 20)}@gateway.example/orders/x`),
    ],
  ])('not from %s', async (_, make) => {
    expect(await arena.send(make(mint()))).toMatch(
      /^(?:40[01] (?:credentials_missing|target_invalid|path_not_canonical)|505)$/,
    );
  });
  it.each([
    ['another scheme', 'Basic', ''], ['no scheme', '', ''], ['a colon', 'Bearer:', ' '], ['no space', 'Bearer', '-'],
    ['a tab', 'Bearer\t', ''], ['a scheme that begins alike', 'Bearers', ' '], ['Token', 'Token', ' '], ['quotes', 'Bearer "', ''],
  ])('not with %s', async (_, scheme, gap) => {
    const code = await arena.send(withFields('/orders/x', `Authorization: ${scheme}${gap}${mint()}\r\n`));
    expect(code).toMatch(/^40[01] (?:credentials_missing|credentials_malformed|token_\w+)$/);
  }); // prettier-ignore
  it('an empty token is none', async () => {
    for (const value of ['Bearer', 'Bearer ', 'Bearer    ', ''])
      expect(await arena.send(withFields('/orders/x', `Authorization: ${value}\r\n`))).toBe(
        '401 credentials_missing',
      );
  });
});

describe('C2: credentials that come twice are refused', () => {
  const good = mint();
  it.each([
    ['the same twice', [good, good]], ['a good one first', [good, 'a.b.c']], ['a good one last', ['a.b.c', good]],
    ['three', [good, good, good]], ['an empty one', [good, '']],
  ])('%s', async (_, tokens) => {
    const fields = tokens.map((t) => `Authorization: Bearer ${t}\r\n`).join('');
    for (const target of ['/orders/x', '/passing/x', '/decide'])
      expect(await arena.send(withFields(target, fields))).toBe('400 credentials_ambiguous');
  }); // prettier-ignore
  it('in one field, or in two schemes', async () => {
    expect(
      await arena.send(withFields('/orders/x', `Authorization: Bearer ${good}, Bearer ${good}\r\n`)),
    ).toBe('400 credentials_ambiguous');
    expect(
      await arena.send(
        withFields('/orders/x', `Authorization: Basic eDp5\r\nAuthorization: Bearer ${good}\r\n`),
      ),
    ).toBe('400 credentials_ambiguous');
  });
  it('what is forwarded is what was validated', async () => {
    expect(await arena.send(withFields('/passing/x', `Authorization: bEARER  ${good}\r\n`), 1)).toBe('200');
    const [value, ...more] = arena.reached.at(-1)!.values('authorization');
    expect([value!.split(/ +/)[1], more]).toEqual([good, []]);
  });
});

describe('C3: challenges', () => {
  const challenge = async (target: string, token?: string): Promise<[number, string[]]> => {
    const answer = await answerTo(bytesOf(target, token === undefined ? {} : { token }));
    return [answer.status, answer.values('www-authenticate')];
  };
  it('without credentials: 401 and no error code', async () => {
    expect(await challenge('/orders/x')).toEqual([401, ['Bearer realm="sallyport"']]);
  });
  it('with a bad token: 401 and invalid_token', async () => {
    for (const token of ['a.b.c', mint({ exp: 1 }), mint({ aud: 'x' }), mint({}, { kid: 'unknown' })])
      expect(await challenge('/orders/x', token)).toEqual([
        401,
        [expect.stringContaining('error="invalid_token"')],
      ]);
  });
  it('without the scope: 403, insufficient_scope and what is asked for', async () => {
    const [status, [text]] = await challenge('/orders/write', mint());
    expect([status, text]).toEqual([403, expect.stringContaining('error="insufficient_scope"')]);
    expect(text).toContain('scope="orders:read orders:write"');
  });
  it('ambiguous credentials: 400 and invalid_request', async () => {
    const answer = await answerTo(
      withFields('/orders/x', 'Authorization: Bearer a\r\nAuthorization: Bearer b\r\n'),
    );
    expect([answer.status, answer.values('www-authenticate')]).toEqual([
      400,
      [expect.stringContaining('error="invalid_request"')],
    ]);
  });
  it('nothing of ours is a challenge where no token would help', async () => {
    for (const target of ['/nowhere', '/open/../x']) expect((await challenge(target))[1]).toEqual([]);
  });
});

describe('C4: identity headers are the gateway’s alone', () => {
  const spellings = ['X-User', 'x-user', 'X-USER', 'X_User', 'x_user', 'X-User'];
  const strange = (target: string, token?: string): string =>
    bytesOf(target, {
      ...(token === undefined ? {} : { token }),
      fields: `${spellings.map((name) => `${name}: root\r\n`).join('')}X-Groups: admins\r\nx_groups: admins\r\n`,
    });
  const identity = (): string[][] =>
    arena.reached
      .at(-1)!
      .fields.filter(([name]) => /^x[-_](?:user|groups)$/i.test(name))
      .map(([name, value]) => [name.toLowerCase(), value]);

  it('what the client says is never forwarded, on open routes either', async () => {
    expect(await arena.send(strange('/orders/x', mint()), 1)).toBe('200');
    expect(identity()).toEqual([['x-user', 'user-1']]);
    expect(await arena.send(strange('/open/x'), 1)).toBe('200');
    expect(identity()).toEqual([]);
  });
  it('as the last of many fields, duplicated', async () => {
    const fields = `${'X: y\r\n'.repeat(90)}X_User: root\r\nX-User: root\r\nx-user: root\r\n`;
    expect(await arena.send(bytesOf('/orders/x', { token: mint(), fields }), 1)).toBe('200');
    expect(identity()).toEqual([['x-user', 'user-1']]);
    expect(
      await arena.send(bytesOf('/orders/x', { token: mint(), fields: 'X: y\r\n'.repeat(120) + fields })),
    ).toMatch(/^(?:431|closed)/);
  });
  it.each([
    'X-User',
    'x-user, X-Groups',
    'close, X_USER',
    'keep-alive,,x-user',
    'Host',
    'Via',
    'X-Request-Id, Authorization',
  ])('Connection: %s does not remove them, nor Host', async (nominated) => {
    const fields = `Connection: ${nominated}\r\nX-User: root\r\n`;
    expect(await arena.send(bytesOf('/orders/x', { token: mint(), fields }), 1)).toBe('200');
    expect(identity()).toEqual([['x-user', 'user-1']]);
    const request = arena.reached.at(-1)!;
    for (const name of ['host', 'via', 'x-request-id', 'x-forwarded-for'])
      expect(request.values(name)).toHaveLength(1);
  });
  it('an absent claim leaves no field for the client to fill', async () => {
    expect(
      await arena.send(
        bytesOf('/orders/x', { token: mint({ sub: undefined }), fields: 'X-User: root\r\n' }),
        1,
      ),
    ).toBe('200');
    expect(identity()).toEqual([]);
  });
  it.each([
    'a\r\nX-Admin: 1',
    'a\nX-Admin: 1',
    'a\rb',
    'a\0b',
    'a\x7fb',
    ' a',
    'a ',
    '\u00e9',
    'a\u2028b',
    '\ud83d\ude00',
    '',
  ])('a claim of %j never becomes anything but one field with that value, or a refusal', async (note) => {
    const answer = await arena.attack(
      (client) => {
        client.send(bytesOf('/passing/x', { token: mint({ note }) }));
        return client.read();
      },
      /^[\x21-\x7e]*$/.test(note) ? 1 : 0,
    );
    if (answer.status !== 200) expect(codeOf(answer)).toBe('403 claim_unforwardable');
    else expect(arena.reached.at(-1)!.values('x-note')).toEqual([note]);
  });
  it('the caller’s address and name are the gateway’s to say', async () => {
    const fields =
      'X-Forwarded-For: 1.2.3.4\r\nForwarded: for=1.2.3.4\r\nX-Real-IP: 1.2.3.4\r\nX-Forwarded-Proto: https\r\nX_Forwarded_For: 1.2.3.4\r\nX-Forwarded-User: root\r\n';
    expect(await arena.send(bytesOf('/open/x', { fields }), 1)).toBe('200');
    expect(arena.reached.at(-1)!.raw.toString('latin1')).not.toMatch(/1\.2\.3\.4|https|root/);
  });
});

describe('C5: nothing secret is said', () => {
  it('no token, claim, key or stack in refusals, in the log or in the metrics', async () => {
    const mark = 'VerySecretSubject';
    const tokens = [
      mint({ sub: mark, exp: 1 }),
      mint({ sub: mark, aud: mark }),
      mint({ sub: mark, scope: mark }),
      mint({ sub: mark }, { kid: mark }),
      mint({ sub: mark, note: `${mark}\n` }),
      `${mark}.${mark}.y`,
    ];
    const said: string[] = [];
    for (const token of tokens) {
      for (const target of ['/orders/write', `/passing/${mark.length}?token=${token}`, `/nowhere?${mark}`]) {
        const before = arena.reached.length;
        const client = await RawClient.connect(arena.port);
        client.send(bytesOf(target, { token, fields: `X-Request-Id: ${mark}\r\nCookie: ${mark}\r\n` }));
        const answer = await client.read();
        client.destroy();
        if (arena.reached.length === before) said.push(answer.text, ...answer.fields.flat());
      }
    }
    await arena.expectHealthy();
    said.push(await arena.sallyport.metrics());
    const text = [...said, ...arena.sallyport.logs.map((line) => JSON.stringify(line))].join('\n');
    expect(text).not.toContain(mark);
    for (const token of tokens) expect(text).not.toContain(token.split('.')[1]);
    expect(text).not.toMatch(/\bat .*\.js:\d+|node_modules/);
  });
});
