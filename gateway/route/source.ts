/**
 * What a policy is compiled from: the part of the configuration that routes need, as structural types.
 * `Config` satisfies `PolicySource`; this folder does not know the rest.
 */

export type PathAllowance = 'encoded_slash' | 'semicolon' | 'empty_segment';

/** A claim's name, or the path to one inside of others. */
export type ClaimPath = string | readonly string[];

export type ClaimHeaderSource =
  | ClaimPath
  | {
      readonly claim: ClaimPath;
      readonly join?: string | undefined;
      readonly json?: boolean | undefined;
      readonly required?: boolean | undefined;
    };

export interface ForwardSource {
  readonly claims?: Readonly<Record<string, ClaimHeaderSource>> | undefined;
  readonly set?: Readonly<Record<string, string>> | undefined;
  readonly remove?: readonly string[] | undefined;
  readonly authorization?: boolean | undefined;
  readonly host?: 'upstream' | 'original' | undefined;
}

export interface ScopesSource {
  readonly all?: readonly string[] | undefined;
  readonly any?: readonly string[] | undefined;
}

export interface RespondSource {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** The sets of endpoints for logins that a route can serve. */
export const oauthMounts = ['page', 'json', 'onboarding'] as const;
export type OauthMountKind = (typeof oauthMounts)[number];

export interface OauthSource {
  readonly serve: OauthMountKind;
  readonly account?: string | undefined;
  readonly open: boolean;
}

/** Whose stored credential goes upstream. Without an account it is that of the token's subject. */
export interface CredentialSource {
  readonly provider: string;
  readonly account?: string | { readonly claim: ClaimPath } | undefined;
}

/** The ways a token can come with a request for a WebSocket, besides the Authorization field. */
export const tokenCarriers = ['subprotocol', 'ticket'] as const;
export type TokenCarrier = (typeof tokenCarriers)[number];

export interface WebSocketSource {
  readonly origins?: readonly string[] | undefined;
  readonly requireOrigin: boolean;
  readonly tokenIn: readonly TokenCarrier[];
  readonly tokenPrefix: string;
  readonly maxMessageBytes: number;
  readonly maxBufferedBytes: number;
  readonly idleTimeoutMs: number;
  readonly renewBy?: string | undefined;
}

export interface TicketSource {
  readonly for: string;
  readonly seconds: number;
}

/** What a claim must be: a path parameter, or one of some texts. */
export interface ClaimCheckSource {
  readonly claim: ClaimPath;
  readonly param?: string | undefined;
  readonly values?: readonly string[] | undefined;
  readonly absent: 'refuse' | 'pass';
}

export interface ExchangeSource {
  readonly signer: string;
  readonly from: readonly string[];
  readonly to: string;
  readonly header: string;
}

export interface RenewalSource {
  readonly signer: string;
  readonly header: string;
  readonly exceptTypes: readonly string[];
  readonly sharePercent: number;
  readonly floorSeconds: number;
  readonly answers: 'served' | 'all';
  readonly maxTotalAgeSeconds?: number | undefined;
  readonly stopHeader?: string | undefined;
}

/** How refusals are told; `error-profile.ts` says what that means. */
export interface ErrorProfile {
  readonly body: 'problem' | 'detail';
  /** Send `WWW-Authenticate` (RFC 6750 section 3). */
  readonly challenge: boolean;
  /** `detail` only: say why a token will not do. */
  readonly reasons: boolean;
}

/** How often. `by`: whose requests are counted together. */
export interface RateSource {
  readonly requests: number;
  readonly perSeconds: number;
  readonly burst?: number | undefined;
  readonly by: 'subject' | 'address' | 'route' | { readonly claim: ClaimPath };
}

/** One node of the route tree: what it says itself. */
export interface RouteSource {
  readonly id?: string | undefined;
  readonly path?: string | undefined;
  readonly prefix?: string | undefined;
  readonly methods?: readonly string[] | undefined;
  readonly issuer?: string | undefined;
  readonly issuers?: readonly string[] | undefined;
  readonly audiences?: readonly string[] | undefined;
  readonly public?: boolean | undefined;
  readonly scopes?: ScopesSource | undefined;
  /** Further lists of scopes of which one is required each; made by imports, not written by hand. */
  readonly anyOf?: readonly (readonly string[])[] | undefined;
  readonly tokenTypes?: readonly string[] | undefined;
  readonly subject?: { readonly param: string; readonly detail?: string | undefined } | undefined;
  readonly claims?: readonly ClaimCheckSource[] | undefined;
  readonly certificateBound?: boolean | undefined;
  readonly accessHook?: string | undefined;
  readonly upstream?: string | undefined;
  readonly respond?: RespondSource | undefined;
  readonly oauth?: OauthSource | undefined;
  readonly ticket?: TicketSource | undefined;
  readonly credential?: CredentialSource | undefined;
  readonly websocket?: WebSocketSource | undefined;
  readonly endAtExpiry?: boolean | undefined;
  readonly forward?: ForwardSource | undefined;
  readonly limits?: { readonly rate?: 'none' | RateSource | undefined } | undefined;
  readonly allowInPath?: readonly PathAllowance[] | undefined;
  readonly maxBodyBytes?: number | undefined;
  readonly jwks?: true | undefined;
  readonly exchange?: ExchangeSource | undefined;
  readonly jsonBody?: boolean | undefined;
  readonly errorProfile?: string | undefined;
  readonly closed?: boolean | undefined;
  /** A path that is not served here, nor by anything less specific; made by imports. */
  readonly unserved?: true | undefined;
  /** The routes below come from a document: the node itself serves nothing, and need not have a prefix. */
  readonly openapi?: unknown;
  readonly routes?: readonly RouteSource[] | undefined;
}

export interface IssuerSource {
  readonly audiences: readonly string[];
  readonly leewaySeconds: number;
  readonly certificateBound?: boolean | undefined;
  readonly tokenTypes?:
    | { readonly claim?: string | undefined; readonly values: readonly string[]; readonly default: string }
    | undefined;
  readonly renewal?: RenewalSource | undefined;
}

export interface PolicySource {
  readonly issuers: Readonly<Record<string, IssuerSource>>;
  readonly upstreams: Readonly<Record<string, unknown>>;
  readonly scopes: { readonly implies: Readonly<Record<string, readonly string[]>> };
  readonly identityHeaders: readonly string[];
  readonly accessHooks: Readonly<Record<string, { readonly claims: Readonly<Record<string, ClaimPath>> }>>;
  readonly signers?: Readonly<Record<string, unknown>> | undefined;
  readonly errorProfiles?: Readonly<Record<string, ErrorProfile>> | undefined;
  readonly listener?: { readonly errorProfile?: string | undefined } | undefined;
  /** Absent: there are no logins to serve. */
  readonly oauth?: { readonly providers: Readonly<Record<string, unknown>> } | undefined;
  readonly routes: readonly RouteSource[];
}
