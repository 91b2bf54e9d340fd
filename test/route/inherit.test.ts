import { describe, expect, test } from 'vitest';
import { pathOddity } from '../../gateway/route/path.ts';
import { policyOf, routeNamed, two, typed, up } from './policies.ts';

describe('inheritance', () => {
  test('scopes.all is the union over all levels, scopes.any one list per level', () => {
    const policy = policyOf([
      {
        prefix: '/a', closed: true, scopes: { all: ['r'], any: ['x', 'y'] }, ...up,
        routes: [{ path: '/b', id: 'b', scopes: { all: ['w', 'r'], any: ['z'] } }],
      },
    ]); // prettier-ignore
    const { access } = routeNamed(policy, 'b');
    expect(policy.vocabulary.scopes).toEqual(['r', 'w', 'x', 'y', 'z']);
    expect(access).toMatchObject({
      all: [0, 0b11],
      any: [
        [0, 0b1100],
        [0, 0b10000],
      ],
      challengeScope: 'r w x y z',
    });
  });

  describe('token types are the union over all levels', () => {
    const policy = policyOf(
      [
        { path: '/default', id: 'default', ...up },
        { path: '/workload', id: 'workload', tokenTypes: ['workload'], ...up },
        {
          prefix: '/g', id: 'group', tokenTypes: ['workload'], ...up,
          routes: [
            { path: '/same', id: 'same' },
            { prefix: '/more', id: 'more', tokenTypes: ['callback'], routes: [{ path: '/all', id: 'all', tokenTypes: ['execution'] }] },
          ],
        },
      ],
      typed,
    ); // prettier-ignore

    test.each([
      ['default', 0b001],
      ['workload', 0b010],
      ['group', 0b010],
      ['same', 0b010],
      ['more', 0b110],
      ['all', 0b111],
    ])('%s', (id, bits) => {
      expect(routeNamed(policy, id).access?.tokenTypes).toEqual([bits]);
    });
  });

  test('issuer, audiences, subject, upstream, allow_in_path and max_body_bytes are those of the nearest node', () => {
    const policy = policyOf(
      [
        {
          prefix: '/{id}', closed: true, issuer: 'a', subject: { param: 'id' }, maxBodyBytes: 10, allowInPath: ['semicolon'], ...up,
          routes: [
            { path: '/same', id: 'same' },
            {
              path: '/{other}/x', id: 'own', issuers: ['b'], audiences: ['b2'], subject: { param: 'other' }, maxBodyBytes: 20,
              allowInPath: [], respond: { status: 204, headers: { a: 'b' }, body: '' },
            },
          ],
        },
      ],
      two,
    ); // prettier-ignore
    expect(routeNamed(policy, 'same')).toMatchObject({
      upstream: 'app', respond: null, bodyBytesMax: 10, pathAllowance: pathOddity.semicolon,
      access: { issuers: [true, false], subjectParam: 0 },
      origin: { at: ['routes', 0, 'routes', 0], from: { issuers: [['routes', 0]], upstream: [['routes', 0]] } },
    }); // prettier-ignore
    expect(routeNamed(policy, 'own')).toMatchObject({
      upstream: null, respond: { status: 204, headers: ['a', 'b'], body: '' }, bodyBytesMax: 20, pathAllowance: 0,
      access: { issuers: [false, true], audiences: [null, [0, 0b10]], subjectParam: 1 },
      origin: { from: { subject: [['routes', 0, 'routes', 1]], upstream: [['routes', 0, 'routes', 1]] } },
    }); // prettier-ignore
  });

  test('one issuer is the default, and a route without limits has none', () => {
    expect(routeNamed(policyOf([{ path: '/a', ...up }]), '/a')).toMatchObject({
      bodyBytesMax: Infinity,
      pathAllowance: 0,
      access: { issuers: [true], leewaySeconds: [10], all: [], any: [], challengeScope: '' },
    });
  });

  describe('public', () => {
    const policy = policyOf([
      {
        prefix: '/a', scopes: { all: ['r'] }, ...up,
        routes: [
          {
            prefix: '/open', id: 'open', public: true,
            routes: [{ path: '/too', id: 'too' }, { path: '/not', id: 'not', public: false, scopes: { all: ['w'] } }],
          },
        ],
      },
    ]); // prettier-ignore

    test('a public node under a protected group is public, and so is what is below it', () => {
      expect(routeNamed(policy, 'open').access).toBeNull();
      expect(routeNamed(policy, 'too').access).toBeNull();
    });

    test('`public: false` below it asks for what all levels ask for', () => {
      expect(routeNamed(policy, 'not').access?.challengeScope).toBe('r w');
    });
  });

  test('forward is merged by field, and a nearer level replaces whatever made the field', () => {
    const policy = policyOf([
      {
        prefix: '/a', id: 'outer', ...up,
        forward: { claims: { 'x-user': 'sub', 'x-team': 'team' }, set: { 'x-env': 'prod' }, remove: ['Cookie'], authorization: true },
        routes: [
          { path: '/b', id: 'b', forward: { claims: { 'x-env': 'env' }, set: { x_user: 'nobody' }, host: 'original' } },
          { path: '/c', id: 'c', public: true, forward: { authorization: false } },
        ],
      },
    ]); // prettier-ignore
    expect(routeNamed(policy, 'outer').forwarding).toEqual({
      claims: [{ name: 'x-user', projection: 0, required: false }, { name: 'x-team', projection: 1, required: false }],
      set: ['x-env', 'prod'], remove: ['cookie', 'x-env'], authorization: true, host: 'upstream',
    }); // prettier-ignore
    expect(routeNamed(policy, 'b').forwarding).toEqual({
      claims: [{ name: 'x-team', projection: 1, required: false }, { name: 'x-env', projection: 2, required: false }],
      set: ['x_user', 'nobody'], remove: ['cookie', 'x-user'], authorization: true, host: 'original',
    }); // prettier-ignore
    expect(routeNamed(policy, 'c').forwarding).toEqual({
      claims: [], set: ['x-env', 'prod'], remove: ['cookie', 'x-env'], authorization: false, host: 'upstream',
    }); // prettier-ignore
  });

  test('C4: every field that some route makes of a claim is an identity header everywhere', () => {
    const policy = policyOf(
      [
        { path: '/a', forward: { claims: { x_user: 'sub' } }, ...up },
        {
          prefix: '/g',
          closed: true,
          forward: { claims: { 'X-Team': 'team' } },
          routes: [{ path: '/b', public: true, ...up }],
        },
      ],
      { identityHeaders: ['Remote_User'] },
    );
    expect([...policy.identityHeaders].toSorted()).toEqual(['remote-user', 'x-team', 'x-user']);
  });

  test('two fields made of one claim alike share a projection', () => {
    const claims = {
      a: 'sub',
      b: ['sub'],
      c: { claim: 'sub', required: true },
      d: { claim: ['x', 'y'], join: ' ' },
    };
    const policy = policyOf([{ path: '/a', forward: { claims }, ...up }]);
    expect(policy.vocabulary.projections).toEqual([
      { path: ['sub'], join: null, json: false },
      { path: ['x', 'y'], join: ' ', json: false },
    ]);
    const { forwarding } = policy.routes[0]!;
    expect(forwarding.claims.map(({ projection, required }) => [projection, required])).toEqual([
      [0, false], [0, false], [0, true], [1, false],
    ]); // prettier-ignore
  });
});
