/**
 * The descriptions that GitBook, Figma and Directus publish, as their npm packages have them: every operation becomes a route
 * or is left out for a reason that is told, matching agrees with another router, and what a token needs agrees with a plain
 * reading of the security requirements.
 */
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import createRouter from 'find-my-way';
import { afterAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { loadConfig } from '../../gateway/config/load.ts';
import type { Facts } from '../../gateway/core/facts.ts';
import { maskOf } from '../../gateway/core/mask.ts';
import { methodIndex, methods } from '../../gateway/core/methods.ts';
import { isDenial } from '../../gateway/core/verdict.ts';
import { decide } from '../../gateway/route/decide.ts';
import { compileMatcher } from '../../gateway/route/match.ts';

interface Published {
  readonly name: string;
  readonly file: string;
  readonly schemes: Readonly<Record<string, string | false>>;
  readonly base: string;
  readonly operations: number;
  readonly public: number;
  readonly leftOut: readonly string[];
}

const published: readonly Published[] = [
  {
    name: 'GitBook', file: '@gitbook/api/spec/openapi.json', schemes: {}, base: '/v1', operations: 377, public: 0, leftOut: [],
  },
  {
    // Personal tokens come in a field of their own.
    name: 'Figma', file: '@figma/rest-api-spec/openapi/openapi.yaml', schemes: { PersonalAccessToken: false, PlanAccessToken: false },
    base: '', operations: 54, public: 0, leftOut: ['POST /v1/developer_logs', 'GET /v1/ai_usage/daily', 'GET /v1/payments'],
  },
  {
    name: 'Directus', file: '@directus/specs/dist/openapi.json', schemes: { KeyAuth: false, Auth: 'main' },
    base: '', operations: 136, public: 2, leftOut: [],
  },
]; // prettier-ignore

type Requirement = Readonly<Record<string, readonly string[]>>;

interface Operation {
  readonly method: string;
  readonly template: string;
  readonly security: readonly Requirement[] | undefined;
}

/** The operations of a document, read without any of the code under test. */
function operationsOf(text: string): readonly Operation[] {
  const document = parse(text) as {
    security?: Requirement[];
    paths: Record<string, Record<string, { security?: Requirement[] }>>;
  };
  return Object.entries(document.paths).flatMap(([template, item]) =>
    Object.entries(item)
      .filter(([key]) => methods.includes(key.toUpperCase() as (typeof methods)[number]))
      .map(([key, operation]) => ({
        method: key.toUpperCase(),
        template,
        security: operation.security ?? document.security,
      })),
  );
}

const folder = await mkdtemp(join(tmpdir(), 'sallyport-openapi-'));
afterAll(() => rm(folder, { recursive: true }));

describe.each(published)('$name', async ({ name, file, schemes, base, ...expected }) => {
  const document = join(import.meta.dirname, '../../node_modules', file);
  const operations = operationsOf(readFileSync(document, 'utf8'));
  const config = join(folder, `${name}.yaml`);
  await writeFile(
    config,
    JSON.stringify({
      version: 1,
      issuers: {
        main: { issuer: 'https://main', algorithms: ['ES256'], keys: { jwks_uri: 'https://main/jwks' } },
      },
      upstreams: { api: { urls: ['http://127.0.0.1:3000'] } },
      routes: [{ openapi: { file: document, schemes }, issuer: 'main', upstream: 'api' }],
    }),
  );
  const loaded = await loadConfig(config, {});
  if (!loaded.ok) throw new Error(loaded.problems.map(({ message }) => message).join('\n'));
  const { policy, warnings } = loaded;
  const keyOf = (method: string, path: string): string => `${method} ${path}`;
  const isLeftOut = ({ method, template }: Operation): boolean =>
    expected.leftOut.includes(keyOf(method, template));

  test('every operation is a route, but those that nobody could use', () => {
    expect(operations).toHaveLength(expected.operations);
    const served = policy.routes.map((route) => keyOf(route.methods![0]!, route.pattern));
    const wanted = operations.filter((operation) => !isLeftOut(operation)).map(({ method, template }) => keyOf(method, base + template));
    expect(served).toEqual(wanted);
    expect(warnings.filter(({ message }) => message.includes('not served'))).toHaveLength(expected.leftOut.length);
  }); // prettier-ignore

  test('what is public is told, one by one', () => {
    expect(policy.routes.filter(({ access }) => access === null)).toHaveLength(expected.public);
    expect(warnings.filter(({ message }) => message.includes('is public'))).toHaveLength(expected.public);
  });

  test('every route knows the line of its operation', () => {
    const lines = readFileSync(document, 'utf8').split('\n');
    for (const { origin, methods: served } of policy.routes) {
      const place = loaded.placeOf(origin.at);
      expect([place.file, lines[place.line - 1]!.replaceAll('"', '').trim()]).toEqual([document, expect.stringMatching(new RegExp(`^${served![0]!.toLowerCase()}:`))]);
    }
  }); // prettier-ignore

  const matcher = compileMatcher(policy);
  const router = createRouter({ caseSensitive: true });
  for (const { method, template } of operations) {
    const path = (base + template).replaceAll(
      /\{([\w-]+)\}/g,
      (_, param: string) => `:${param.replaceAll('-', '_')}`,
    );
    router.on(method as 'GET', path, () => {}, { key: keyOf(method, base + template) });
  }
  const words = [...new Set(operations.flatMap(({ template }) => template.split('/')))].filter((word) =>
    /^[\w.-]+$/.test(word),
  );

  test('matching agrees with find-my-way, for paths of operations and for paths close to them', () => {
    const word = fc.oneof(fc.constantFrom(...words), fc.stringMatching(/^[a-z0-9]{1,6}$/));
    const path = fc.tuple(fc.constantFrom(...operations), fc.array(word, { minLength: 8, maxLength: 8 }), fc.nat(12)).map(
      ([{ template }, fill, turn]) => {
        let next = 0;
        return base + template.replaceAll(/\{[^}]+\}/g, () => fill[next++ % fill.length]!)
          .split('/').map((segment, index) => (index === turn && index > 0 ? fill[7]! : segment)).join('/');
      },
    );
    let matched = 0;
    fc.assert(
      fc.property(path, fc.constantFrom(...methods), (text, method) => {
        const theirs = (router.find(method === 'HEAD' ? 'GET' : method, text)?.store as { key: string } | undefined)?.key;
        const route = matcher.match(text, methodIndex(method));
        const ours = route === null ? undefined : keyOf(route.methods![0]!, route.pattern);
        const served = theirs !== undefined && expected.leftOut.some((key) => theirs === key.replace(' ', ` ${base}`)) ? undefined : theirs;
        if (ours !== undefined) matched += 1;
        expect([method, text, ours]).toEqual([method, text, served]);
      }),
      { numRuns: 3000 },
    );
    expect(matched).toBeGreaterThan(500);
  }); // prettier-ignore

  test('a token passes exactly where some alternative has all of its scopes', () => {
    const served = operations.filter((operation) => !isLeftOut(operation));
    const names = [...new Set(served.flatMap(({ security = [] }) => security.flatMap((requirement) => Object.values(requirement).flat())))];
    let refused = 0;
    fc.assert(
      fc.property(fc.constantFrom(...served.keys()), fc.subarray(names), fc.boolean(), (index, extra, fromOwn) => {
        const { security = [{}] } = served[index]!;
        const own = new Set(security.flatMap((requirement) => Object.values(requirement).flat()));
        const carried = fromOwn ? extra.filter((scope) => own.has(scope)) : extra;
        const passes =
          security.length === 0 ||
          security.some((requirement) =>
            Object.entries(requirement).every(([scheme, scopes]) => schemes[scheme] !== false && scopes.every((scope) => carried.includes(scope))),
          );
        const { scopes } = policy.vocabulary;
        const facts: Facts = {
          issuer: 0, keyId: 0, expSeconds: 10, nbfSeconds: -Infinity, iatSeconds: -Infinity, audiences: [0], tokenType: 0, subject: null, certificate: null, claims: [],
          scopes: maskOf(carried.map((scope) => scopes.indexOf(scope)).filter((bit) => bit !== -1), scopes.length),
        };
        const verdict = decide(policy.routes[index]!, '/', facts, [1], 0);
        if (!passes) refused += 1;
        expect(isDenial(verdict) ? verdict.code : 'permit').toBe(passes ? 'permit' : 'scope_insufficient');
      }),
      { numRuns: 3000 },
    );
    expect(refused > 0).toBe(name === 'Figma');
  }); // prettier-ignore
});
