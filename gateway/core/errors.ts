/**
 * THE catalogue of refusals: every answer the gateway gives by itself, and no other.
 *
 * `listener/respond.ts` turns an entry into bytes; nothing else does. A denial (the caller or the policy) is one of these
 * frozen records, returned, without a stack. A fault (something outside failed) carries the code of its refusal.
 *
 * Source: statuses RFC 9110, challenges RFC 6750 section 3, bodies RFC 9457.
 */

/** Who has to change something for the answer to change. */
export type RefusalSource = 'caller' | 'policy' | 'gateway' | 'upstream';

/** `bare`: a challenge without an error code, because no credentials came (RFC 6750 section 3.1). */
export type Challenge = 'none' | 'bare' | 'invalid_request' | 'invalid_token' | 'insufficient_scope';

interface RefusalShape {
  readonly status: number;
  /** One constant sentence for the caller. Never contains anything of the request. */
  readonly title: string;
  readonly source: RefusalSource;
  readonly challenge: Challenge;
  /** Seconds for `Retry-After`, 0 for none. */
  readonly retryAfterSeconds: number;
  /** The connection cannot be trusted to be in step after this: close it at once, serve nothing behind it. */
  readonly close: boolean;
}

const refuse = (
  status: number,
  source: RefusalSource,
  title: string,
  more: Partial<Pick<RefusalShape, 'challenge' | 'retryAfterSeconds' | 'close'>> = {},
): RefusalShape => ({
  status,
  title,
  source,
  challenge: 'none',
  retryAfterSeconds: 0,
  close: false,
  ...more,
});

const badToken = (title: string): RefusalShape =>
  refuse(401, 'caller', title, { challenge: 'invalid_token' });
const overloaded = (title: string): RefusalShape => refuse(503, 'gateway', title, { retryAfterSeconds: 1 });

const catalogue = {
  // The request as HTTP
  framing_invalid: refuse(400, 'caller', 'The message framing is ambiguous or malformed.', { close: true }),
  transfer_coding_unsupported: refuse(501, 'caller', 'Only the chunked transfer coding is understood.', {
    close: true,
  }),
  header_invalid: refuse(400, 'caller', 'A header field is malformed.', { close: true }),
  headers_too_large: refuse(431, 'caller', 'The header section is too large.', { close: true }),
  host_invalid: refuse(400, 'caller', 'The Host field is malformed.', { close: true }),
  target_invalid: refuse(400, 'caller', 'The request target is malformed.'),
  target_too_long: refuse(414, 'caller', 'The request target is too long.'),
  path_not_canonical: refuse(400, 'caller', 'The path is not in its canonical form.'),
  method_not_supported: refuse(501, 'caller', 'The method is not supported.', { close: true }),
  expectation_failed: refuse(417, 'caller', 'Only the 100-continue expectation is understood.', {
    close: true,
  }),
  upgrade_unsupported: refuse(501, 'caller', 'Protocol upgrades are not supported here.'),
  websocket_invalid: refuse(400, 'caller', 'The WebSocket handshake is malformed.'),
  websocket_version: refuse(426, 'caller', 'Only version 13 of the WebSocket protocol is spoken.'),
  origin_not_allowed: refuse(403, 'policy', 'WebSockets from this origin are not allowed here.'),
  body_too_large: refuse(413, 'caller', 'The request body is larger than this route accepts.', {
    close: true,
  }),
  body_incomplete: refuse(400, 'caller', 'The request body ended early.', { close: true }),
  body_timeout: refuse(408, 'caller', 'The request body took too long.', { close: true }),
  body_not_json: refuse(400, 'caller', 'The request body is not JSON.'),
  // Matching
  route_not_found: refuse(404, 'caller', 'No route matches this path.'),
  method_not_allowed: refuse(405, 'caller', 'The route does not allow this method.'),
  // Credentials
  credentials_missing: refuse(401, 'caller', 'A bearer token is required.', { challenge: 'bare' }),
  credentials_ambiguous: refuse(400, 'caller', 'Credentials were sent more than once.', {
    challenge: 'invalid_request',
  }),
  credentials_malformed: refuse(400, 'caller', 'The Authorization field is malformed.', {
    challenge: 'invalid_request',
  }),
  ticket_invalid: badToken('The ticket is unknown, expired or used.'),
  // The token
  token_too_large: badToken('The token is too large.'),
  token_malformed: badToken('The token is malformed.'),
  token_header_invalid: badToken('The token header is not acceptable.'),
  token_algorithm: badToken('The token algorithm is not accepted.'),
  token_key_unknown: badToken('The token key is not known.'),
  token_signature: badToken('The token signature is invalid.'),
  token_claims_invalid: badToken('The token claims are malformed.'),
  token_claim_missing: badToken('The token lacks a required claim.'),
  token_typ: badToken('The token is of another kind.'),
  token_type_unknown: badToken('The token type is not known.'),
  token_issuer: badToken('The token is from another issuer.'),
  token_audience: badToken('The token is for another audience.'),
  token_expired: badToken('The token has expired.'),
  token_not_yet_valid: badToken('The token is not valid yet.'),
  token_issued_in_future: badToken('The token was issued in the future.'),
  token_inactive: badToken('The token is not active.'),
  token_withdrawn: badToken('The token key was withdrawn.'),
  token_certificate: badToken('The token is bound to a client certificate that was not shown.'),
  token_unbound: badToken('The token is not bound to a client certificate.'),
  token_confirmation: badToken('The token is bound to a key whose possession cannot be proven here.'),
  // The policy
  rate_limited: refuse(429, 'policy', 'Too many requests: come back later.'),
  token_type_not_allowed: refuse(403, 'policy', 'This token type is not allowed here.', {
    challenge: 'insufficient_scope',
  }),
  scope_insufficient: refuse(403, 'policy', 'The token lacks a required scope.', {
    challenge: 'insufficient_scope',
  }),
  subject_mismatch: refuse(403, 'policy', 'The token subject does not match the resource.', {
    challenge: 'insufficient_scope',
  }),
  claim_mismatch: refuse(403, 'policy', 'A claim of the token does not fit the resource.', {
    challenge: 'insufficient_scope',
  }),
  access_denied: refuse(403, 'policy', 'Access to this resource is refused.'),
  claim_unforwardable: refuse(403, 'policy', 'The token carries a claim that cannot be forwarded.'),
  // Decisions for other proxies
  decision_peer_unknown: refuse(403, 'caller', 'Decisions are given to listed proxies only.'),
  decision_question_missing: refuse(400, 'caller', 'The proxy does not say which request it asks about.'),
  decision_question_ambiguous: refuse(
    400,
    'caller',
    'The proxy says more than once which request it asks about.',
  ),
  decision_upstream_mismatch: refuse(
    403,
    'policy',
    'The route leads to another upstream than the proxy uses.',
  ),
  decision_batch_invalid: refuse(400, 'caller', 'The batch is malformed, or too long.'),
  // Logins and stored credentials
  oauth_provider_unknown: refuse(404, 'caller', 'There is no such provider.'),
  oauth_account_invalid: refuse(400, 'caller', 'The account is missing or malformed.'),
  oauth_request_invalid: refuse(400, 'caller', 'The request lacks a field, or one is malformed.'),
  oauth_media_type: refuse(415, 'caller', 'The request body is of another media type than is understood.'),
  oauth_cross_origin: refuse(403, 'caller', 'The request comes from another site.'),
  oauth_session_changed: refuse(403, 'caller', 'The page belongs to another session: load it again.'),
  oauth_flow_unknown: refuse(404, 'caller', 'There is no such login.'),
  oauth_callback_invalid: refuse(400, 'caller', 'The answer does not belong to a login of this browser.'),
  oauth_callback_used: refuse(400, 'caller', 'The login has ended already.'),
  oauth_starts_limited: refuse(429, 'caller', 'Too many logins were started.', { retryAfterSeconds: 10 }),
  oauth_flows_full: refuse(503, 'gateway', 'Too many logins are under way.', { retryAfterSeconds: 5 }),
  oauth_interrupted: refuse(503, 'gateway', 'The login was interrupted.', { retryAfterSeconds: 1 }),
  oauth_shared_unavailable: refuse(503, 'gateway', 'What gateways share their logins by is not available.', {
    retryAfterSeconds: 5,
  }),
  oauth_store_unavailable: refuse(503, 'gateway', 'The credential store is not available.', {
    retryAfterSeconds: 5,
  }),
  oauth_provider_unreachable: refuse(502, 'upstream', 'The provider cannot be reached.', {
    retryAfterSeconds: 2,
  }),
  oauth_provider_refused: refuse(502, 'upstream', 'The provider refused the request.'),
  oauth_provider_invalid: refuse(502, 'upstream', 'The provider answered with an invalid message.'),
  oauth_provider_timeout: refuse(504, 'upstream', 'The provider did not answer in time.', {
    retryAfterSeconds: 2,
  }),
  credential_absent: refuse(403, 'caller', 'No login is stored for this account.'),
  credential_unavailable: refuse(503, 'gateway', 'The stored login cannot be renewed now.', {
    retryAfterSeconds: 2,
  }),
  credential_refused: refuse(403, 'caller', 'The stored login has ended: log in again.'),
  // The gateway itself
  verifier_full: overloaded('Too many tokens are waiting for verification.'),
  verifier_timeout: overloaded('The token could not be verified in time.'),
  verifier_failed: overloaded('The token could not be verified.'),
  keys_unavailable: refuse(503, 'gateway', 'The keys to verify this token are not available.', {
    retryAfterSeconds: 5,
  }),
  access_unknown: refuse(503, 'gateway', 'Whether access is allowed cannot be found out now.', {
    retryAfterSeconds: 1,
  }),
  introspection_unavailable: refuse(503, 'gateway', 'The token cannot be checked at its issuer now.', {
    retryAfterSeconds: 2,
  }),
  gateway_draining: refuse(503, 'gateway', 'The gateway is shutting down.', {
    retryAfterSeconds: 1,
    close: true,
  }),
  gateway_fault: refuse(500, 'gateway', 'The gateway failed.', { close: true }),
  // The upstream
  upstream_unreachable: refuse(502, 'upstream', 'The upstream cannot be reached.'),
  upstream_tls: refuse(502, 'upstream', 'No secure connection to the upstream can be made.'),
  upstream_reset: refuse(502, 'upstream', 'The upstream closed the connection early.'),
  upstream_invalid: refuse(502, 'upstream', 'The upstream answered with an invalid message.'),
  upstream_timeout: refuse(504, 'upstream', 'The upstream did not answer in time.'),
  upstream_full: refuse(503, 'upstream', 'Too many requests are waiting for the upstream.', {
    retryAfterSeconds: 1,
  }),
} as const satisfies Record<string, RefusalShape>;

export type RefusalCode = keyof typeof catalogue;

export interface Refusal extends RefusalShape {
  readonly code: RefusalCode;
  /** Position in the catalogue: a dense index for metric cells. */
  readonly index: number;
}

/** Nothing was found against the request: something failed behind it. */
export const isOurs = ({ source }: Pick<Refusal, 'source'>): boolean =>
  source === 'gateway' || source === 'upstream';

/** Every refusal by its code, frozen. */
export const refusals: { readonly [C in RefusalCode]: Refusal } = Object.freeze(
  Object.fromEntries(
    Object.entries(catalogue).map(([code, shape], index) => [code, Object.freeze({ code, index, ...shape })]),
  ),
) as { readonly [C in RefusalCode]: Refusal };

export const refusalCodes = Object.freeze(Object.keys(catalogue)) as readonly RefusalCode[];
