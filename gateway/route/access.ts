/** What the token of a protected route has to show, resolved over all levels and turned into bits. */
import { requirementOf, type Requirement } from '../core/mask.ts';
import { gathered, issuersOf, nearest, type Chain } from './inherit.ts';
import { readClaimChecks } from './claim-checks.ts';
import type { Projections } from './forwarding.ts';
import type { Access, ClaimCheck, Param } from './policy.ts';
import type { ConfigPath, ProblemList } from './problem.ts';
import type { IssuerSource, PolicySource } from './source.ts';
import type { Names } from './vocabulary.ts';

/** The access of a route with names in place of bits: all routes have to be read before scopes have bits. */
export interface NamedAccess {
  readonly issuers: ReadonlySet<string>;
  readonly audiences: ReadonlyMap<string, readonly string[] | null>;
  readonly tokenTypes: ReadonlyMap<string, number>;
  readonly all: readonly string[];
  readonly any: readonly (readonly string[])[];
  readonly subjectParam: number;
  readonly claims: readonly ClaimCheck[];
  readonly subjectDetail: string | null;
  /** The route asks for bound tokens, whatever their issuer. */
  readonly certificateBound: boolean;
}

/** Reads a protected route; null when it is impossible, which is then among the problems. */
export function readAccess(
  chain: Chain,
  params: readonly Param[],
  source: PolicySource,
  projections: Projections,
  problems: ProblemList,
): NamedAccess | null {
  const issuers = readIssuers(chain, source, problems);
  const claims = readClaimChecks(chain, params, projections, problems);
  const subjectParam = readSubject(chain, params, problems);
  if (issuers === null) return null;
  return {
    issuers: new Set(issuers.keys()),
    audiences: readAudiences(chain, issuers, problems),
    tokenTypes: readTokenTypes(chain, issuers, problems),
    all: [...gathered(chain, ['scopes', 'all'], (node) => node.scopes?.all).keys()],
    any: chain
      .flatMap(({ node: { scopes, anyOf } }) =>
        (scopes?.any === undefined ? [] : [scopes.any]).concat(anyOf ?? []),
      )
      .map((list) => Array.from(new Set(list))),
    subjectParam,
    claims,
    subjectDetail: nearest(chain, (node) => node.subject)?.value.detail ?? null,
    certificateBound: nearest(chain, (node) => node.certificateBound)?.value ?? false,
  };
}

type Issuers = ReadonlyMap<string, IssuerSource>;

function readIssuers(chain: Chain, source: PolicySource, problems: ProblemList): Issuers | null {
  const known = Object.keys(source.issuers);
  const named = issuersOf(chain);
  if (named === null && known.length !== 1) {
    const message =
      known.length === 0
        ? 'the route asks for a token, but no issuer is configured; add one, or `public: true`'
        : 'which issuer? With several of them a route names one by `issuer`, or says `public: true`';
    problems.add(chain.at(-1)!.at, message, { atKey: true });
    return null;
  }
  const found = named ?? known;
  const issuers = new Map<string, IssuerSource>();
  for (const name of found) {
    // An unknown name has been reported where it stands.
    if (!Object.hasOwn(source.issuers, name)) return null;
    issuers.set(name, source.issuers[name]!);
  }
  return issuers;
}

function readSubject(chain: Chain, params: readonly Param[], problems: ProblemList): number {
  const subject = nearest(chain, (node) => node.subject);
  if (subject === null) return -1;
  const names = params.map(({ name }) => name);
  const index = names.indexOf(subject.value.param);
  if (index !== -1) return index;
  const own = chain.at(-1)!.at;
  const where = own === subject.at ? 'this route' : 'a route that inherits this';
  const path = [...subject.at, 'subject', 'param'];
  problems.add(path, `"${subject.value.param}" is not a path parameter of ${where}`, {
    unknown: { word: subject.value.param, among: names },
  });
  return -1;
}

function readAudiences(
  chain: Chain,
  issuers: Issuers,
  problems: ProblemList,
): ReadonlyMap<string, readonly string[] | null> {
  const narrowed = nearest(chain, (node) => node.audiences);
  const audiences = new Map<string, readonly string[] | null>();
  for (const [name, issuer] of issuers) {
    const own = issuer.audiences.length === 0 ? null : issuer.audiences;
    if (narrowed === null) {
      audiences.set(name, own);
      continue;
    }
    const accepted =
      own === null ? narrowed.value : narrowed.value.filter((audience) => own.includes(audience));
    audiences.set(name, accepted);
    if (accepted.length === 0) {
      problems.add(
        [...narrowed.at, 'audiences'],
        `no token can pass: issuer "${name}" accepts none of these audiences`,
      );
    }
  }
  const known = [...issuers.values()];
  if (narrowed !== null && known.every((issuer) => issuer.audiences.length > 0)) {
    const names = known.flatMap((issuer) => issuer.audiences);
    for (const [index, audience] of narrowed.value.entries()) {
      if (!names.includes(audience))
        problems.addUnknown([...narrowed.at, 'audiences', index], 'audience', audience, names);
    }
  }
  return audiences;
}

function readTokenTypes(chain: Chain, issuers: Issuers, problems: ProblemList): ReadonlyMap<string, number> {
  const named = gathered(chain, ['token_types'], (node) => node.tokenTypes);
  const known = [...issuers.values()].flatMap((issuer) => issuer.tokenTypes?.values ?? []);
  for (const [type, at] of named) {
    if (!known.includes(type)) problems.addUnknown(at, 'token type', type, known);
  }
  const first = named.values().next().value;
  const bits = new Map<string, number>();
  for (const [name, { tokenTypes }] of issuers) {
    bits.set(name, typeBits(tokenTypes, named));
    if (first !== undefined && bits.get(name) === 0) {
      const lack = tokenTypes === undefined ? 'has no token types' : 'has none of these token types';
      problems.add(first.slice(0, -1), `no token of issuer "${name}" can pass: it ${lack}`);
    }
  }
  return bits;
}

/** The default stands in for an empty union only; it is never added to an explicit one. */
function typeBits(types: IssuerSource['tokenTypes'], named: ReadonlyMap<string, ConfigPath>): number {
  if (types === undefined) return 0;
  const accepted = named.size === 0 ? new Set([types.default]) : new Set(named.keys());
  return types.values.reduce((bits, type, index) => (accepted.has(type) ? bits | (1 << index) : bits), 0);
}

/** For `explain`: each token type that a route allows, and what allows it. */
export function typeOriginsOf(chain: Chain, source: PolicySource): Readonly<Record<string, ConfigPath[]>> {
  const origins: Record<string, ConfigPath[]> = {};
  const add = (type: string, place: ConfigPath): void => void (origins[type] ??= []).push(place);
  for (const { node, at } of chain) for (const type of node.tokenTypes ?? []) add(type, at);
  if (Object.keys(origins).length > 0) return origins;
  for (const name of issuersOf(chain) ?? Object.keys(source.issuers)) {
    const types = source.issuers[name]?.tokenTypes;
    if (types !== undefined) add(types.default, ['issuers', name, 'token_types', 'default']);
  }
  return origins;
}

/** Turns names into bits. */
export function accessOf(named: NamedAccess, source: PolicySource, scopes: Names, audiences: Names): Access {
  const names = Object.keys(source.issuers);
  const scopeBits = (list: readonly string[]): Requirement =>
    requirementOf(list.map((name) => scopes.indexOf(name)));
  const audienceBits = (list: readonly string[] | null): Requirement | null =>
    list === null ? null : requirementOf(list.map((name) => audiences.indexOf(name)));
  return {
    issuers: names.map((name) => named.issuers.has(name)),
    audiences: names.map((name) => audienceBits(named.audiences.get(name) ?? null)),
    tokenTypes: names.map((name) => named.tokenTypes.get(name) ?? 0),
    leewaySeconds: names.map((name) => source.issuers[name]!.leewaySeconds),
    certificateBound: names.map(
      (name) => named.certificateBound || source.issuers[name]!.certificateBound === true,
    ),
    all: scopeBits(named.all),
    any: named.any.map(scopeBits),
    subjectParam: named.subjectParam,
    claims: named.claims,
    subjectDetail: named.subjectDetail,
    challengeScope: [...new Set([...named.all, ...named.any.flat()])].join(' '),
  };
}
