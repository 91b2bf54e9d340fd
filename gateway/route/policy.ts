/**
 * The compiled policy: what `compile.ts` makes of the route tree, `match.ts` finds and `decide.ts` tests.
 * Everything that does not depend on the request is computed here, once.
 */
import type { Requirement } from '../core/mask.ts';
import type { ConfigPath } from './problem.ts';
import type { ErrorProfile, OauthMountKind } from './source.ts';

/** A claim on its way to a header: how the value is found and written. Shared by all routes that forward it alike. */
export interface Projection {
  readonly path: readonly string[];
  /** Separator for arrays; null refuses them. */
  readonly join: string | null;
  readonly json: boolean;
}

/** Names and their bits. The same for all routes, for the verify workers and for the listener of one configuration. */
export interface Vocabulary {
  readonly scopes: readonly string[];
  /** By scope index: the scopes that it grants, itself included, transitively. */
  readonly implied: readonly (readonly number[])[];
  readonly audiences: readonly string[];
  readonly issuers: readonly string[];
  /** By issuer index: its token types in the order of their bits; empty where it has none. */
  readonly tokenTypes: readonly (readonly string[])[];
  readonly projections: readonly Projection[];
}

export interface ClaimHeader {
  readonly name: string;
  readonly projection: number;
  readonly required: boolean;
}

export interface Forwarding {
  /** Empty on public routes: there are no claims. */
  readonly claims: readonly ClaimHeader[];
  /** Name, value, name, value. */
  readonly set: readonly string[];
  /** Lower case, `-` for `_`: callers' fields that are left out in any spelling. Holds the names of `set` too. */
  readonly remove: readonly string[];
  readonly authorization: boolean;
  readonly host: 'upstream' | 'original';
}

export interface FixedResponse {
  readonly status: number;
  /** Name, value, name, value. */
  readonly headers: readonly string[];
  readonly body: string;
}

/** Endpoints for logins, served by the gateway itself (`oauth/http`, `oauth/page`). */
export interface OauthMount {
  readonly kind: OauthMountKind;
  /** The path that the endpoints are below, without a slash at its end. */
  readonly base: string;
  /** Whose logins these are; null for the subject of the token. */
  readonly account: string | null;
  /** Callers from anywhere may start; looked at by `onboarding` on a public route only. */
  readonly open: boolean;
}

/** What a route asks of a request to become a WebSocket, and the limits of one that is open. */
export interface WebSocketRules {
  /** Accepted origins (RFC 6454 section 6.2, lower case); null accepts that of the request's own Host, `any` every one. */
  readonly origins: ReadonlySet<string> | 'any' | null;
  readonly requiresOrigin: boolean;
  /** What an offered subprotocol that is a token begins with; null where none is looked for. */
  readonly tokenPrefix: string | null;
  readonly takesTickets: boolean;
  readonly messageBytesMax: number;
  /** What may wait for a slow upstream. */
  readonly bufferedBytesMax: number;
  /** Longest time without a message either way; `Infinity` when there is no limit. */
  readonly idleMsMax: number;
  /** The member of a text message that brings a new token; null where a message is just a message. */
  readonly renewBy: string | null;
}

/** Tickets that stand for the caller's token, once, in a request for a WebSocket. */
export interface TicketMount {
  /** Id of the route they are good for. */
  readonly routeId: string;
  readonly seconds: number;
}

/** The stored credential that is sent upstream as the Authorization field. */
export interface CredentialUse {
  readonly provider: string;
  readonly account:
    | { readonly kind: 'fixed'; readonly name: string }
    | { readonly kind: 'subject' }
    | { readonly kind: 'claim'; readonly projection: number };
}

/** A claim that must equal something; of a list, one of its elements must. */
export interface ClaimCheck {
  /** As JSON. */
  readonly projection: number;
  /** Index of a path parameter, -1 where the claim is compared with `values`. */
  readonly param: number;
  readonly values: readonly string[];
  /** Tokens without the claim pass. */
  readonly passesAbsent: boolean;
}

/** A service that is asked about permitted requests, and the claims that it is told. */
export interface HookUse {
  readonly name: string;
  readonly claims: readonly { readonly name: string; readonly projection: number }[];
}

/** Some types of tokens are exchanged for another one when the upstream's answer is a success. */
export interface TokenExchange {
  /** Its name in the configuration. */
  readonly signer: string;
  readonly header: string;
  /** By issuer index: the types that are exchanged, as bits. */
  readonly from: readonly number[];
  readonly to: string;
  /** By issuer index: the claim that says the type. */
  readonly typeClaims: readonly string[];
}

/** Tokens of an issuer are made anew before they expire. */
export interface Renewal {
  readonly signer: string;
  readonly header: string;
  /** Types that are never renewed, as bits. */
  readonly exceptTypes: number;
  /** Of the token's lifetime. */
  readonly share: number;
  readonly floorSeconds: number;
  /** Also on refusals that are not about the token, where nothing matches, and on public routes. */
  readonly onAllAnswers: boolean;
  /** From the first token of a line; null for no limit. */
  readonly totalAgeSecondsMax: number | null;
  /** Field of an upstream's answer that forbids it. */
  readonly stopHeader: string | null;
  /** What a token must show where no route asks for one. */
  readonly access: Access;
}

/** How often a route may be used. What is counted together has the name and the same answer to `by`. */
export interface RateLimit {
  /** Of the node that sets it. */
  readonly name: string;
  readonly requests: number;
  readonly perSeconds: number;
  /** Requests that may come at once. */
  readonly burst: number;
  readonly by:
    | { readonly kind: 'subject' | 'address' | 'route' }
    | { readonly kind: 'claim'; readonly projection: number };
}

/** What the token of a route has to show. Null for a public route. */
export interface Access {
  /** By issuer index: may its tokens be used here? */
  readonly issuers: readonly boolean[];
  /** By issuer index: accepted audiences; null where `aud` is not looked at. */
  readonly audiences: readonly (Requirement | null)[];
  /** By issuer index: accepted token types as bits; 0 where the issuer has none. */
  readonly tokenTypes: readonly number[];
  /** By issuer index: tolerance of the time claims. */
  readonly leewaySeconds: readonly number[];
  /** By issuer index: must its tokens be bound to a client certificate (RFC 8705)? */
  readonly certificateBound: readonly boolean[];
  readonly all: Requirement;
  /** One list for each level that has `any`: each must be met. */
  readonly any: readonly Requirement[];
  /** Index of the path parameter that must equal the subject, -1 for none. */
  readonly subjectParam: number;
  readonly claims: readonly ClaimCheck[];
  /** What the error profile `detail` says when it does not; null for the catalogue's word. */
  readonly subjectDetail: string | null;
  /** Scopes for the challenge of a 403 (RFC 6750 section 3: `scope`), space-separated; empty when none is required. */
  readonly challengeScope: string;
}

/** Where a route and its settings were written, for `explain`, `routes` and error messages. */
export interface Origin {
  readonly at: ConfigPath;
  /** By setting: the nodes it came from, root first; several where levels add up. */
  readonly from: Readonly<Record<string, readonly ConfigPath[]>>;
  /** For each allowed token type, every node that allows it, or the place of the default that does. */
  readonly tokenTypes: Readonly<Record<string, readonly ConfigPath[]>>;
}

/** A path parameter and the segments it covers: counted from 0 at the start, or from -1 at the end. */
export interface Param {
  readonly name: string;
  readonly first: number;
  readonly last: number;
}

export interface Route {
  /** Dense, in order of declaration. */
  readonly index: number;
  readonly id: string;
  /** Full pattern, e.g. `/orders/{id}`; a prefix ends in `/*`. */
  readonly pattern: string;
  /** Null: every method. GET includes HEAD. */
  readonly methods: readonly string[] | null;
  readonly params: readonly Param[];
  readonly access: Access | null;
  readonly upstream: string | null;
  readonly respond: FixedResponse | null;
  readonly oauth: OauthMount | null;
  readonly ticket: TicketMount | null;
  readonly hook: HookUse | null;
  /** The route answers with the public keys of the signers. */
  readonly jwks: boolean;
  readonly exchange: TokenExchange | null;
  readonly forwarding: Forwarding;
  readonly credential: CredentialUse | null;
  /** Null: requests to become a WebSocket are refused. */
  readonly websocket: WebSocketRules | null;
  /** Do answers end with their token? Null: event streams do. */
  readonly endAtExpiry: boolean | null;
  readonly rate: RateLimit | null;
  /** `pathOddity` bits that this route accepts (`path.ts`). */
  readonly pathAllowance: number;
  /** `Infinity` when there is no limit. */
  readonly bodyBytesMax: number;
  /** A body must be JSON, which is looked at before the token. */
  readonly jsonBody: boolean;
  /** How refusals are told. */
  readonly errors: ErrorProfile;
  readonly origin: Origin;
}

export interface ClosedPattern {
  readonly pattern: string;
  /** How it is told that there is nothing. */
  readonly errors: ErrorProfile;
}

export interface Policy {
  readonly vocabulary: Vocabulary;
  readonly routes: readonly Route[];
  /** Closed prefixes and paths that are left out: what they match, nothing less specific does. */
  readonly closed: readonly ClosedPattern[];
  /** By issuer index; null where tokens are not renewed. */
  readonly renewals: readonly (Renewal | null)[];
  /** How refusals are told where no route has matched, nor a closed pattern. */
  readonly errors: ErrorProfile;
  /** Lower-case names, `-` for `_`, that callers may not send: those that any route makes of claims and the configured. */
  readonly identityHeaders: ReadonlySet<string>;
}
