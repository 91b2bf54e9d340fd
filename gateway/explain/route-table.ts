/** The compiled routes as plain data: what `routes` prints, and what other commands read names from. */
import type { Config } from '../config/schema.ts';
import type { Place } from '../config/problem.ts';
import { allowancesIn } from '../route/path.ts';
import type { Access, Policy, Route } from '../route/policy.ts';
import type { ConfigPath } from '../route/problem.ts';
import type { PathAllowance } from '../route/source.ts';
import { namesIn } from '../route/vocabulary.ts';

/** Tokens of one issuer that a route takes. */
export interface TokenRow {
  readonly issuer: string;
  /** Null: `aud` is not looked at. */
  readonly audiences: readonly string[] | null;
  /** Null: the issuer has no token types. */
  readonly types: readonly string[] | null;
  /** They must be bound to a client certificate (RFC 8705). */
  readonly certificateBound: boolean;
  /** They are made anew before they expire. */
  readonly renewed: boolean;
}

export interface RouteRow {
  readonly id: string;
  /** Null: every method. */
  readonly methods: readonly string[] | null;
  readonly path: string;
  readonly public: boolean;
  readonly tokens: readonly TokenRow[];
  /** One scope of each list of `any` is required, and every one of `all`. */
  readonly scopes: { readonly all: readonly string[]; readonly any: readonly (readonly string[])[] };
  /** The path parameter that must equal the subject. */
  readonly subject: string | null;
  readonly answer:
    | { readonly upstream: string }
    | { readonly respond: number }
    | { readonly oauth: string }
    | { readonly ticket: string }
    | { readonly jwks: true };
  /** Are WebSockets accepted? */
  readonly websocket: boolean;
  readonly claims: readonly {
    readonly claim: readonly string[];
    /** A path parameter, or the texts of which the claim must be one. */
    readonly equals: string | readonly string[];
    readonly absent: 'refuse' | 'pass';
  }[];
  readonly accessHook: string | null;
  readonly allowInPath: readonly PathAllowance[];
  /** Null: no limit. */
  readonly bodyBytesMax: number | null;
  readonly jsonBody: boolean;
  /** Tokens of some types are exchanged for one of another; null where they are not. */
  readonly exchange: { readonly to: string; readonly signer: string; readonly header: string } | null;
  /** `file:line` of the node of the route. */
  readonly at: string;
  /** By setting: `file:line` of the nodes it came from, root first; several where levels add up. */
  readonly from: Readonly<Record<string, readonly string[]>>;
}

export interface Loaded {
  readonly config: Config;
  readonly policy: Policy;
  readonly placeOf: (path: ConfigPath) => Place;
}

/** The rows in order of declaration. */
export function routeTable({ config, policy, placeOf }: Loaded): readonly RouteRow[] {
  const lineOf = (path: ConfigPath): string => {
    const { file, line } = placeOf(path);
    return `${file}:${line}`;
  };
  return policy.routes.map((route) => ({
    id: route.id,
    methods: route.methods,
    path: route.pattern,
    public: route.access === null,
    tokens: route.access === null ? [] : tokensOf(route.access, config, policy),
    scopes: scopesOf(route.access, policy),
    subject: subjectOf(route),
    claims: claimsOf(route, policy),
    accessHook: route.hook?.name ?? null,
    answer: answerOf(route),
    websocket: route.websocket !== null,
    allowInPath: allowancesIn(route.pathAllowance),
    bodyBytesMax: route.bodyBytesMax === Infinity ? null : route.bodyBytesMax,
    jsonBody: route.jsonBody,
    exchange: exchangeOf(route),
    at: lineOf(route.origin.at),
    from: Object.fromEntries(
      Object.entries(route.origin.from).map(([setting, places]) => [setting, places.map(lineOf)]),
    ),
  }));
}

function tokensOf(access: Access, config: Config, { vocabulary, renewals }: Policy): readonly TokenRow[] {
  return vocabulary.issuers.flatMap((issuer, index): TokenRow[] => {
    if (access.issuers[index] !== true) return [];
    const audiences = access.audiences[index] ?? null;
    const types = config.issuers[issuer]?.tokenTypes?.values;
    const bits = access.tokenTypes[index] ?? 0;
    return [
      {
        issuer,
        audiences: audiences === null ? null : namesIn(audiences, vocabulary.audiences),
        types: types === undefined ? null : types.filter((_, bit) => (bits & (1 << bit)) !== 0),
        certificateBound: access.certificateBound[index] === true,
        renewed: (renewals[index] ?? null) !== null,
      },
    ];
  });
}

function exchangeOf({ exchange }: Route): RouteRow['exchange'] {
  if (exchange === null) return null;
  const { to, signer, header } = exchange;
  return { to, signer, header };
}

function scopesOf(access: Access | null, { vocabulary }: Policy): RouteRow['scopes'] {
  if (access === null) return { all: [], any: [] };
  return {
    all: namesIn(access.all, vocabulary.scopes),
    any: access.any.map((any) => namesIn(any, vocabulary.scopes)),
  };
}

function subjectOf({ access, params }: Route): string | null {
  return access === null || access.subjectParam === -1 ? null : params[access.subjectParam]!.name;
}

function claimsOf({ access, params }: Route, { vocabulary }: Policy): RouteRow['claims'] {
  return (access?.claims ?? []).map(({ projection, param, values, passesAbsent }) => ({
    claim: vocabulary.projections[projection]!.path,
    equals: param === -1 ? values : params[param]!.name,
    absent: passesAbsent ? 'pass' : 'refuse',
  }));
}

function answerOf({ upstream, respond, oauth, ticket, jwks }: Route): RouteRow['answer'] {
  if (ticket !== null) return { ticket: ticket.routeId };
  if (jwks) return { jwks };
  if (respond !== null) return { respond: respond.status };
  return oauth === null ? { upstream: upstream ?? '' } : { oauth: oauth.kind };
}
