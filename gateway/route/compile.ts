/**
 * Compiles the route tree to a policy, or says everything that is wrong with it. Called at start and reload, never per
 * request. A policy that cannot be met, or that can be read in two ways, does not compile.
 */
import { methods } from '../core/methods.ts';
import { atOnce } from '../core/slices.ts';
import { accessOf, readAccess, typeOriginsOf, type NamedAccess } from './access.ts';
import { checkNode } from './check-node.ts';
import { hookOf } from './claim-checks.ts';
import { credentialOf } from './credential.ts';
import { defaultErrorProfile } from './error-profile.ts';
import { forwardingOf, normalName, Projections } from './forwarding.ts';
import { isPublic, nearest, originsOf, type Chain } from './inherit.ts';
import { fullPattern, paramsOf, parsePattern, patternProblem, shapeOf } from './pattern.ts';
import { mountOf } from './mount.ts';
import { allowanceBits } from './path.ts';
import type { Access, FixedResponse, Policy, Renewal, Route } from './policy.ts';
import { exchangeOf, renewalAccessOf, renewalsOf, type RenewalDraft } from './reissue.ts';
import { ProblemList, showPath, type PolicyProblem } from './problem.ts';
import { rateOf } from './rate.ts';
import type { ErrorProfile, PolicySource, RespondSource, RouteSource } from './source.ts';
import { Names, vocabularyOf } from './vocabulary.ts';
import { checkTickets, ticketOf, webSocketOf } from './websocket.ts';

export type Compiled =
  | { readonly ok: true; readonly policy: Policy }
  | { readonly ok: false; readonly problems: readonly PolicyProblem[] };

/** A route before scopes have bits. */
interface Draft {
  readonly route: Omit<Route, 'access' | 'index'>;
  readonly access: NamedAccess | null;
  readonly shape: string;
  readonly idChosen: boolean;
  readonly chain: Chain;
}

export function compilePolicy(source: PolicySource): Compiled {
  return atOnce(compileInSlices(source));
}

/** Routes of one slice: a few milliseconds. */
const sliceRoutes = 200;

/** For a thread that has requests to answer meanwhile. */
export function* compileInSlices(source: PolicySource): Generator<void, Compiled> {
  const problems = new ProblemList();
  const projections = new Projections();
  const drafts: Draft[] = [];
  const closed = new Map<string, Chain>();
  const unserved = new Map<string, Chain>();
  const renewals = renewalsOf(source, problems);
  const identityHeaders = new Set(source.identityHeaders.map(normalName));

  function* visit(chain: Chain): Generator<void, void> {
    const level = chain.at(-1)!;
    const { node } = level;
    if (!checkNode(chain, source, problems)) return;
    for (const name of Object.keys(node.forward?.claims ?? {})) identityHeaders.add(normalName(name));
    const children = node.routes ?? [];
    if (node.closed === true) closed.set(patternOf(chain), chain);
    else if (node.unserved === true) unserved.set(patternOf(chain), chain);
    else if (node.openapi === undefined) {
      drafts.push(readRoute(chain, source, projections, problems));
      if (drafts.length % sliceRoutes === 0) yield;
    }
    for (const [index, child] of children.entries()) {
      yield* visit([...chain, { node: child, at: [...level.at, 'routes', index] }]);
    }
  }
  for (const [index, node] of source.routes.entries()) yield* visit([{ node, at: ['routes', index] }]);

  checkCollisions(drafts, closed, problems);
  checkTickets(drafts, problems);
  if (problems.all.length > 0) return { ok: false, problems: problems.all };
  return {
    ok: true,
    policy: {
      ...(yield* assemble(source, drafts, projections, renewals)),
      closed: [...closed, ...unserved].map(([pattern, chain]) => ({
        pattern,
        errors: errorProfileOf(chain, source),
      })),
      errors: errorProfileOf([], source),
      identityHeaders,
    },
  };
}

/** The path of a node below its parents; a prefix `/` adds nothing to what is below it, and nor does an import without one. */
function joined(above: Chain, path: string): string {
  const parents = above.map(({ node }) => (node.prefix === '/' ? '' : (node.prefix ?? '')));
  const full = parents.join('') + path;
  return full === '' ? '/' : full;
}

function patternOf(chain: Chain): string {
  const { node } = chain.at(-1)!;
  const path = joined(chain.slice(0, -1), node.path ?? node.prefix ?? '');
  if (node.path !== undefined) return fullPattern(path, false);
  return fullPattern(path.replace(/\/$/, ''), true);
}

function readRoute(
  chain: Chain,
  source: PolicySource,
  projections: Projections,
  problems: ProblemList,
): Draft {
  const { node, at } = chain.at(-1)!;
  const pattern = patternOf(chain);
  const problem = patternProblem(pattern.replace(/\/\*$/, '/'));
  if (problem !== null) problems.add([...at, node.path === undefined ? 'prefix' : 'path'], problem);
  const segments = parsePattern(pattern);
  const params = paramsOf(segments);
  const open = isPublic(chain);
  const target = readTargetOf(chain, source, problems);
  const forwarding = forwardingOf(chain, open, projections);
  const route: Draft['route'] = {
    id: nameOf(chain),
    pattern,
    methods: node.methods === undefined ? null : [...new Set(node.methods)],
    params,
    ...target,
    hook: open ? null : hookOf(chain, source, projections),
    forwarding,
    exchange: exchangeOf(chain, target.upstream !== null, source, problems),
    credential:
      target.upstream === null ? null : credentialOf(chain, forwarding, source, projections, problems),
    websocket: webSocketOf(chain, target.upstream !== null, problems),
    endAtExpiry: nearest(chain, (level) => level.endAtExpiry)?.value ?? null,
    rate: rateOf(chain, nameOf, projections, problems),
    pathAllowance: (nearest(chain, (level) => level.allowInPath)?.value ?? []).reduce(
      (bits, allowance) => bits | allowanceBits[allowance],
      0,
    ),
    ...readBody(chain, problems),
    errors: errorProfileOf(chain, source),
    origin: {
      at,
      from: originsOf(chain),
      tokenTypes: open ? {} : typeOriginsOf(chain, source),
    },
  };
  if (route.id.length > 128) {
    problems.add(at, 'the id made of methods and path has more than 128 characters: choose one by `id`', {
      atKey: true,
    });
  }
  const access = open ? null : readAccess(chain, params, source, projections, problems);
  return { route, access, shape: shapeOf(segments), idChosen: node.id !== undefined, chain };
}

/** Largest body that is looked at as JSON, where nothing is said. */
const jsonBytesDefault = 1_048_576;
const jsonBytesMax = 16_777_216;

function readBody(chain: Chain, problems: ProblemList): Pick<Route, 'bodyBytesMax' | 'jsonBody'> {
  const limit = nearest(chain, (level) => level.maxBodyBytes);
  const jsonBody = nearest(chain, (level) => level.jsonBody)?.value ?? false;
  if (jsonBody && limit !== null && limit.value > jsonBytesMax)
    problems.add(
      [...limit.at, 'max_body_bytes'],
      `a body that is looked at has at most ${jsonBytesMax} bytes`,
    );
  return { bodyBytesMax: limit?.value ?? (jsonBody ? jsonBytesDefault : Infinity), jsonBody };
}

/** The profile that the nearest node names, else the one of the listener. A name that nothing has was reported. */
function errorProfileOf(chain: Chain, source: PolicySource): ErrorProfile {
  const name = nearest(chain, (node) => node.errorProfile)?.value ?? source.listener?.errorProfile;
  const profiles = source.errorProfiles ?? {};
  return name !== undefined && Object.hasOwn(profiles, name) ? profiles[name]! : defaultErrorProfile;
}

function nameOf(chain: Chain): string {
  const { node } = chain.at(-1)!;
  return node.id ?? defaultId(node, patternOf(chain));
}

const defaultId = ({ methods }: RouteSource, pattern: string): string =>
  methods === undefined ? pattern : `${methods.join('|')} ${pattern}`;

/** Where requests of a route go: the nearest of upstream, respond, oauth and ticket. */
function readTargetOf(
  chain: Chain,
  source: PolicySource,
  problems: ProblemList,
): Pick<Route, 'upstream' | 'respond' | 'oauth' | 'ticket' | 'jwks'> {
  const nowhere = { upstream: null, respond: null, oauth: null, ticket: null, jwks: false };
  const found = nearest(
    chain,
    (node) => node.upstream ?? node.respond ?? node.oauth ?? node.ticket ?? node.jwks,
  );
  const level = chain.at(-1)!;
  if (found === null) {
    const rest =
      (level.node.routes ?? []).length === 0 ? '' : '; or say `closed: true` when only its routes are served';
    problems.add(
      level.at,
      `where do requests go? The route has none of \`upstream\`, \`respond\`, \`oauth\`, \`ticket\` and \`jwks\`${rest}`,
      { atKey: true },
    );
    return nowhere;
  }
  const { value } = found;
  if (typeof value === 'string') return { ...nowhere, upstream: value };
  if (value === true) return { ...nowhere, jwks: true };
  if ('for' in value) return { ...nowhere, ticket: ticketOf(chain, value, problems) };
  if ('serve' in value) {
    const mounted = chain.findLastIndex(({ node }) => node.oauth !== undefined);
    const base = patternOf(chain.slice(0, mounted + 1));
    return { ...nowhere, oauth: mountOf(chain, value, base, source, problems) };
  }
  return { ...nowhere, respond: responseOf(value) };
}

const responseOf = ({ status, headers, body }: RespondSource): FixedResponse => ({
  status,
  headers: Object.entries(headers).flat(),
  body,
});

/** Refuses what could be read in two ways: one pattern and method twice, one id twice, closed and served. */
function checkCollisions(
  drafts: readonly Draft[],
  closed: ReadonlyMap<string, Chain>,
  problems: ProblemList,
): void {
  const ids = new Map<string, Draft>();
  const served = new Map<string, Map<string, Draft>>();
  for (const draft of drafts) {
    const { at, node } = draft.chain.at(-1)!;
    const byMethod = served.get(draft.shape) ?? new Map<string, Draft>();
    served.set(draft.shape, byMethod);
    const clash = methodsOf(draft).find((method) => byMethod.has(method));
    if (clash !== undefined) {
      const place = [...at, node.path === undefined ? 'prefix' : 'path'];
      const other = showPath(byMethod.get(clash)!.route.origin.at);
      problems.add(place, `${clash} ${draft.route.pattern} is served by ${other} already`);
    }
    for (const method of methodsOf(draft)) byMethod.set(method, draft);
    const twin = ids.get(draft.route.id);
    if (twin === undefined) ids.set(draft.route.id, draft);
    else if (draft.idChosen || twin.idChosen) {
      problems.add(
        draft.idChosen ? [...at, 'id'] : at,
        `the id "${draft.route.id}" is that of ${showPath(twin.route.origin.at)} already`,
      );
    }
  }
  const byShape = new Map(drafts.map((draft) => [draft.shape, draft]));
  for (const [pattern, chain] of closed) {
    const both = byShape.get(shapeOf(parsePattern(pattern)));
    if (both !== undefined) {
      problems.add(
        [...chain.at(-1)!.at, 'closed'],
        `${pattern} is closed here and served by ${showPath(both.route.origin.at)}`,
      );
    }
  }
}

function methodsOf({ route }: Draft): readonly string[] {
  if (route.methods === null) return methods;
  return route.methods.includes('GET') ? [...new Set([...route.methods, 'HEAD'])] : route.methods;
}

/** Gives every name its bit, now that all of them are known. */
function* assemble(
  source: PolicySource,
  drafts: readonly Draft[],
  projections: Projections,
  renewals: readonly (RenewalDraft | null)[],
): Generator<void, Pick<Policy, 'vocabulary' | 'routes' | 'renewals'>> {
  const named = drafts.flatMap(({ access }) => access ?? []);
  const audiences = new Names();
  for (const access of named)
    for (const list of access.audiences.values()) for (const name of list ?? []) audiences.add(name);
  for (const [index, issuer] of Object.values(source.issuers).entries())
    if (renewals[index] !== null) for (const name of issuer.audiences) audiences.add(name);
  const scopeNames = named.flatMap(({ all, any }) => all.concat(any.flat()));
  const vocabulary = vocabularyOf(
    {
      issuers: Object.keys(source.issuers),
      tokenTypes: Object.values(source.issuers).map(({ tokenTypes }) => tokenTypes?.values ?? []),
      scopes: scopeNames,
      audiences,
      projections: projections.list,
    },
    source.scopes.implies,
  );
  const scopes = new Names();
  for (const scope of vocabulary.scopes) scopes.add(scope);
  const routes: Route[] = [];
  for (const { route, access } of drafts) {
    const bits: Access | null = access === null ? null : accessOf(access, source, scopes, audiences);
    routes.push({ index: routes.length, ...route, access: bits });
    if (routes.length % sliceRoutes === 0) yield;
  }
  const renewed = renewals.map((draft, index): Renewal | null => {
    if (draft === null) return null;
    return { ...draft, access: renewalAccessOf(vocabulary.issuers[index]!, source, scopes, audiences) };
  });
  return { vocabulary, routes, renewals: renewed };
}
