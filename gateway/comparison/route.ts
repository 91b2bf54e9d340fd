/** Compares two routes on paths that both of them match: who is accepted, and what happens then. */
import { isDeepStrictEqual } from 'node:util';
import { allowancesIn } from '../route/path.ts';
import type { ClaimHeader, Policy, Projection, Route, TokenExchange } from '../route/policy.ts';
import { typeNames } from '../route/error-profile.ts';
import { compareAccess } from './access.ts';
import type { RouteSide } from './side.ts';
import { compareRates } from './rate.ts';
import { changed, compareAccepted, compareLimits, loosened, tightened, type Finding } from './change.ts';
import { compareEndings, compareWebSocket } from './websocket.ts';

type Compare = (old: RouteSide, now: RouteSide) => readonly Finding[];

const same: Compare = () => [];

/** Every member has its way of being compared: a new one does not compile before it has. */
const compareMember: Readonly<Record<keyof Route, Compare>> = {
  // Which paths and methods a route has is a matter of all routes together.
  index: same,
  pattern: same,
  methods: same,
  params: same,
  origin: same,
  id: ({ route: old }, { route: now }) =>
    old.id === now.id ? [] : [changed('id', `metrics and logs name it ${now.id}, no longer ${old.id}`)],
  access: (old, now) => {
    const before = old.route.access;
    const after = now.route.access;
    if (before === null && after === null) return [];
    if (after === null) return [loosened('public', 'no token is asked for any more')];
    if (before === null) return [tightened('public', 'a token is asked for')];
    return compareAccess({ ...old, access: before }, { ...now, access: after });
  },
  upstream: ({ route: old }, { route: now }) =>
    old.upstream === now.upstream
      ? []
      : [changed('upstream', `answered by ${answererOf(now)}, no longer by ${answererOf(old)}`)],
  respond: ({ route: old }, { route: now }) => {
    if (old.respond === null || now.respond === null || isDeepStrictEqual(old.respond, now.respond))
      return [];
    return [changed('respond', 'the answer is another')];
  },
  oauth: ({ route: { oauth: old } }, { route: { oauth: now } }) => {
    if (now === null || old === null || isDeepStrictEqual(old, now)) return [];
    if (now.open && !old.open) return [loosened('oauth', 'callers from anywhere may start logins')];
    if (old.open && !now.open)
      return [tightened('oauth', 'callers from private networks only may start logins')];
    return [changed('oauth', 'other logins are served')];
  },
  credential: (
    { route: { credential: old }, policy: before },
    { route: { credential: now }, policy: after },
  ) => {
    if (
      isDeepStrictEqual(named(old, before.vocabulary.projections), named(now, after.vocabulary.projections))
    )
      return [];
    if (old === null) return [tightened('credential', 'a stored login is needed')];
    return [loosened('credential', now === null ? 'no stored login is needed' : 'another login is used')];
  },
  ticket: ({ route: { ticket: old } }, { route: { ticket: now } }) =>
    old === null || now === null || isDeepStrictEqual(old, now)
      ? []
      : [changed('ticket', `tickets are for ${now.routeId}, good for ${now.seconds} s`)],
  websocket: ({ route: old }, { route: now }) => compareWebSocket(old.websocket, now.websocket),
  endAtExpiry: ({ route: old }, { route: now }) => compareEndings(old.endAtExpiry, now.endAtExpiry),
  hook: ({ route: { hook: old } }, { route: { hook: now } }) => {
    if (old?.name === now?.name) return [];
    if (old === null) return [tightened('access_hook', `${now!.name} is asked`)];
    const instead = now === null ? 'nobody' : now.name;
    return [loosened('access_hook', `${instead} is asked, no longer ${old.name}`)];
  },
  jwks: ({ route: old }, { route: now }) =>
    old.jwks === now.jwks ? [] : [changed('jwks', `answered by ${answererOf(now)}`)],
  exchange: ({ route: { exchange: old }, policy: before }, { route: { exchange: now }, policy: after }) => {
    if (isDeepStrictEqual(old && exchanged(old, before), now && exchanged(now, after))) return [];
    if (now === null) return [tightened('exchange', 'tokens are no longer exchanged')];
    return [loosened('exchange', `tokens are exchanged for one of type ${now.to}`)];
  },
  jsonBody: ({ route: old }, { route: now }) => {
    if (old.jsonBody === now.jsonBody) return [];
    return [
      now.jsonBody
        ? tightened('json_body', 'a body must be JSON')
        : loosened('json_body', 'a body need be no JSON'),
    ];
  },
  errors: ({ route: old }, { route: now }) =>
    isDeepStrictEqual(old.errors, now.errors)
      ? []
      : [changed('error_profile', 'refusals are told otherwise')],
  forwarding: compareForwarding,
  rate: compareRates,
  pathAllowance: ({ route: old }, { route: now }) =>
    compareAccepted('allow_in_path', allowancesIn(old.pathAllowance), allowancesIn(now.pathAllowance)),
  bodyBytesMax: ({ route: old }, { route: now }) =>
    compareLimits('max_body_bytes', old.bodyBytesMax, now.bodyBytesMax),
};

export function compareRoutes(old: RouteSide, now: RouteSide): readonly Finding[] {
  return Object.values(compareMember).flatMap((compare) => compare(old, now));
}

/** Who answers the requests of a route, in words. */
export function answererOf({ upstream, respond, oauth, ticket, jwks }: Route): string {
  if (jwks) return 'the gateway itself (keys)';
  if (upstream !== null) return `the upstream ${upstream}`;
  if (ticket !== null) return `tickets (${ticket.routeId})`;
  return respond === null ? `logins (${oauth?.kind})` : `the gateway itself (${respond.status})`;
}

/** A claim that cannot be forwarded refuses the request, so that forwarding is a requirement as well. */
function compareForwarding(
  { route: { forwarding: old }, policy: before }: RouteSide,
  { route: { forwarding: now }, policy: after }: RouteSide,
): readonly Finding[] {
  const claims = (headers: readonly ClaimHeader[], projections: readonly Projection[]) =>
    headers.map((header) => ({ ...header, projection: projections[header.projection]! }));
  const oldClaims = claims(old.claims, before.vocabulary.projections);
  const newClaims = claims(now.claims, after.vocabulary.projections);
  const lacking = (from: typeof oldClaims, among: typeof oldClaims) =>
    from.filter(
      ({ projection, required }) =>
        !among.some(
          (other) => isDeepStrictEqual(other.projection, projection) && (other.required || !required),
        ),
    );
  const names = (headers: typeof oldClaims): string => headers.map(({ name }) => name).join(', ');
  const dropped = lacking(oldClaims, newClaims);
  const added = lacking(newClaims, oldClaims);
  const isSame = isDeepStrictEqual({ ...old, claims: oldClaims }, { ...now, claims: newClaims });
  return [
    ...(dropped.length === 0
      ? []
      : [loosened('forward', `tokens whose claim does not fit ${names(dropped)} are no longer refused`)]),
    ...(added.length === 0 ? [] : [tightened('forward', `the claim of ${names(added)} has to fit`)]),
    ...(isSame || dropped.length + added.length > 0
      ? []
      : [changed('forward', 'the upstream gets other fields')]),
  ];
}

function named(credential: Route['credential'], projections: readonly Projection[]): unknown {
  if (credential === null || credential.account.kind !== 'claim') return credential;
  return { ...credential, account: projections[credential.account.projection] };
}

/** An exchange without a word of the file's own names: which types of which issuers become what. */
function exchanged({ from, to, header }: TokenExchange, { vocabulary }: Policy): unknown {
  const types = vocabulary.issuers.flatMap((_, index) =>
    typeNames(vocabulary.tokenTypes[index] ?? [], from[index] ?? 0),
  );
  return { to, header, types: types.toSorted() };
}
