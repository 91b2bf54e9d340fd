/** Compares how the tokens of one issuer are verified: what holds on every route that takes them. */
import { isDeepStrictEqual } from 'node:util';
import type { IntrospectionConfig, IssuerConfig, KeysConfig } from '../config/schema.ts';
import { normalTyp } from '../token/header.ts';
import {
  changed,
  compareAccepted,
  compareLimits,
  compareRequired,
  loosened,
  tightened,
  type Finding,
} from './change.ts';

type Compare = (old: IssuerConfig, now: IssuerConfig) => readonly Finding[];

const same: Compare = () => [];

/** Every member has its way of being compared: a new one does not compile before it has. */
const compareMember: Readonly<Record<keyof IssuerConfig, Compare>> = {
  // Two issuers are one where their `issuer` is.
  issuer: same,
  // Narrowed by routes, and compared there.
  audiences: same,
  // Routes can ask for it too, and it is compared there.
  certificateBound: same,
  algorithms: (old, now) => compareAccepted('algorithms', old.algorithms, now.algorithms),
  keys: (old, now) => compareKeys(old.keys, now.keys),
  introspection: ({ introspection: old }, { introspection: now }) => compareIntrospection(old, now),
  leewaySeconds: (old, now) => compareLimits('leeway_seconds', old.leewaySeconds, now.leewaySeconds),
  typ: (old, now) => compareAccepted('typ', typsOf(old), typsOf(now)),
  requiredClaims: (old, now) => compareRequired('required_claims', old.requiredClaims, now.requiredClaims),
  // One more place can grant scopes; one place less refuses nobody any more for what is written there.
  scopeClaims: (old, now) =>
    isDeepStrictEqual(pathsOf(old), pathsOf(now))
      ? []
      : [loosened('scope_claims', `scopes are read from ${pathsOf(now).join(', ')}`)],
  subjectClaim: (old, now) =>
    old.subjectClaim === now.subjectClaim
      ? []
      : [loosened('subject_claim', `the subject is ${now.subjectClaim}, no longer ${old.subjectClaim}`)],
  subjectFormat: ({ subjectFormat: old }, { subjectFormat: now }) => {
    if (old === now) return [];
    if (now === 'any') return [loosened('subject_format', 'a subject need be no UUID')];
    return [
      tightened('subject_format', 'a subject must be a UUID'),
      loosened('subject_format', 'other spellings of a UUID are the same subject'),
    ];
  },
  renewal: ({ renewal: old }, { renewal: now }) => {
    if (isDeepStrictEqual(old, now)) return [];
    if (now === undefined) return [tightened('renewal', 'tokens are no longer renewed')];
    return [loosened('renewal', old === undefined ? 'tokens are renewed' : 'tokens are renewed otherwise')];
  },
  maxTokenBytes: (old, now) => compareLimits('max_token_bytes', old.maxTokenBytes, now.maxTokenBytes),
  requireKid: (old, now) => {
    if (old.requireKid === now.requireKid) return [];
    return [
      now.requireKid
        ? tightened('require_kid', 'tokens need a kid')
        : loosened('require_kid', 'tokens need no kid where there is one key'),
    ];
  },
  tokenTypes: ({ tokenTypes: old }, { tokenTypes: now }) => {
    // Which types pass is compared on each route; a type read elsewhere is another type.
    if (old === undefined || now === undefined) return [];
    if (old.claim === now.claim) return [];
    return [loosened('token_types', `the type is in ${now.claim}, no longer in ${old.claim}`)];
  },
};

export function compareIssuers(old: IssuerConfig, now: IssuerConfig): readonly Finding[] {
  return Object.values(compareMember).flatMap((compare) => compare(old, now));
}

/** What is accepted without `typ` (`token/judge.ts`). */
const typsOf = ({ typ }: IssuerConfig): readonly string[] =>
  typ?.map(normalTyp) ?? ['jwt', 'at+jwt', '(none)'];

const pathsOf = ({ scopeClaims }: IssuerConfig): readonly string[] =>
  scopeClaims.map((path) => JSON.stringify(typeof path === 'string' ? [path] : path)).toSorted();

/** Whoever is asked says what is accepted, for as long as that is believed. */
function compareIntrospection(
  old: IntrospectionConfig | undefined,
  now: IntrospectionConfig | undefined,
): readonly Finding[] {
  if (old === undefined && now === undefined) return [];
  if (old === undefined) return [loosened('introspection', 'opaque tokens are taken')];
  if (now === undefined) return [tightened('introspection', 'opaque tokens are not taken any more')];
  const placeOf = ({ endpoint, discovery, allowHttp }: IntrospectionConfig): unknown => [
    endpoint,
    discovery,
    allowHttp,
  ];
  const findings = [
    ...(isDeepStrictEqual(placeOf(old), placeOf(now))
      ? []
      : [loosened('introspection', 'tokens are asked about elsewhere')]),
    ...compareLimits('introspection.ttl_seconds', old.ttlSeconds, now.ttlSeconds),
  ];
  const isOther = findings.length === 0 && !isDeepStrictEqual(old, now);
  return isOther ? [changed('introspection', 'tokens are asked about otherwise')] : findings;
}

/** A key that is trusted for longer, or another one, accepts tokens that were refused. */
function compareKeys(old: KeysConfig, now: KeysConfig): readonly Finding[] {
  const sourceOf = (keys: KeysConfig): unknown => [
    keys.jwksUri, keys.discovery, keys.jwksFile, keys.secretFile, keys.secretEnv, keys.secretEncoding,
  ]; // prettier-ignore
  const isSame = isDeepStrictEqual(sourceOf(old), sourceOf(now));
  const findings = [
    ...(isSame ? [] : [loosened('keys', 'the keys come from elsewhere')]),
    ...compareLimits('keys.max_stale_seconds', old.maxStaleSeconds, now.maxStaleSeconds),
    ...compareLimits('keys.refresh_seconds', old.refreshSeconds, now.refreshSeconds),
    ...(old.allowHttp === now.allowHttp
      ? []
      : [
          now.allowHttp
            ? loosened('keys.allow_http', 'keys may come by http://')
            : tightened('keys.allow_http', 'keys come by https:// only'),
        ]),
  ];
  const isOther = findings.length === 0 && !isDeepStrictEqual(old, now);
  return isOther ? [changed('keys', 'they are fetched otherwise')] : findings;
}
