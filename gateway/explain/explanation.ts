/** What the gateway would do with a request, step by step, as data. The steps are those of `listener/request.ts`. */
import { refusals, type Refusal, type RefusalCode } from '../core/errors.ts';
import type { Facts } from '../core/facts.ts';
import { hasAll, hasAny, requirementOf } from '../core/mask.ts';
import { methodIndex, methods } from '../core/methods.ts';
import { isDenial } from '../core/verdict.ts';
import { checksOf, decide, paramText, type LiveKeys } from '../route/decide.ts';
import { compileMatcher } from '../route/match.ts';
import { typeNames } from '../route/error-profile.ts';
import { readTarget } from '../route/path.ts';
import type { ErrorProfile } from '../route/source.ts';
import type { Access, Policy, Route, Vocabulary } from '../route/policy.ts';
import { showPath } from '../route/problem.ts';
import { namesIn } from '../route/vocabulary.ts';
import { besides } from './wording.ts';

export interface Step {
  readonly check: string;
  readonly passed: boolean;
  /** The refusal that this check leads to; null for one that refuses nothing. */
  readonly code: RefusalCode | null;
  readonly detail: string;
}

export interface Explanation {
  readonly method: string;
  readonly target: string;
  readonly route: Route | null;
  readonly steps: readonly Step[];
  /** What the route asks for or does besides, in sentences. */
  readonly besides: readonly string[];
  /** The answer that the gateway gives by itself; null when the request is served. */
  readonly refusal: Refusal | null;
  /** How that answer is told. */
  readonly errors: ErrorProfile;
  /** Methods that the path does have, for 405. */
  readonly allow: readonly string[];
}

/** What is known of the token: none was given, it was refused, or what it says. */
export type TokenReading =
  | { readonly kind: 'none' }
  | { readonly kind: 'refused'; readonly code: RefusalCode; readonly detail: string }
  | {
      readonly kind: 'read';
      readonly facts: Facts;
      readonly live: LiveKeys;
      readonly verified: boolean;
      readonly detail: string;
    };

export interface Question {
  readonly policy: Policy;
  readonly targetBytesMax: number;
  readonly method: string;
  readonly target: string;
  readonly token: TokenReading;
  /** Thumbprint of what the caller shows; null for none. */
  readonly certificate: string | null;
  readonly nowSeconds: number;
}

export function explainRequest(question: Question): Explanation {
  const { policy, method, target } = question;
  const steps: Step[] = [];
  let { errors } = policy;
  const end = (route: Route | null, refusal: Refusal | null, allow: readonly string[] = []): Explanation => ({
    method, target, route, steps, refusal, allow,
    besides: route === null ? [] : besides(route, policy),
    errors: route?.errors ?? errors,
  }); // prettier-ignore

  const index = methodIndex(method);
  steps.push(
    step(
      'method',
      index !== -1,
      'method_not_supported',
      index === -1 ? `no route can have ${method}` : method,
    ),
  );
  if (index === -1) return end(null, refusals.method_not_supported);

  const read = readTarget(target, question.targetBytesMax);
  if (isDenial(read)) {
    steps.push(step('target', false, read.code, read.title));
    return end(null, read);
  }
  steps.push(step('target', true, 'target_invalid', `the path is ${read.path}`));

  const matcher = compileMatcher(policy);
  const route = matcher.match(read.path, index);
  if (route === null) {
    const allowed = matcher.allowed(read.path);
    errors = matcher.errors(read.path) ?? errors;
    const allow = methods.filter((_, bit) => (allowed & (1 << bit)) !== 0);
    const code = allowed === 0 ? 'route_not_found' : 'method_not_allowed';
    const detail = allowed === 0 ? 'no route has this path' : `the path has ${allow.join(', ')} only`;
    steps.push(step('route', false, code, detail));
    return end(null, refusals[code], allow);
  }
  steps.push(step('route', true, 'route_not_found', `${route.id}, written at ${showPath(route.origin.at)}`));

  const isOdd = (read.oddities & ~route.pathAllowance) !== 0;
  if (read.oddities !== 0) {
    steps.push(
      step(
        'path form',
        !isOdd,
        'path_not_canonical',
        isOdd ? 'the route does not allow this form' : 'odd, but the route allows it',
      ),
    );
  }
  if (isOdd) return end(route, refusals.path_not_canonical);
  return explainToken(question, route, read.path, steps, (refusal) => end(route, refusal));
}

function explainToken(
  { policy, token, certificate, nowSeconds }: Question,
  route: Route,
  path: string,
  steps: Step[],
  end: (refusal: Refusal | null) => Explanation,
): Explanation {
  const { access } = route;
  if (access === null) {
    steps.push({
      check: 'token',
      passed: true,
      code: null,
      detail: 'the route is public: none is asked for or looked at',
    });
    return end(null);
  }
  if (token.kind === 'none') {
    steps.push(
      step(
        'token',
        false,
        'credentials_missing',
        `none was given; the route asks for ${wantsOf(access, policy.vocabulary)}`,
      ),
    );
    return end(refusals.credentials_missing);
  }
  if (token.kind === 'refused') {
    steps.push(step('token', false, token.code, token.detail));
    return end(refusals[token.code]);
  }
  const { facts, live } = token;
  steps.push(step('token', true, 'token_signature', token.detail));
  for (const { check, code, passed } of checksOf(route, path, facts, live, nowSeconds, certificate)) {
    steps.push(
      step(
        check,
        passed,
        code,
        detailOf(check, { route, access, facts, path, nowSeconds }, policy.vocabulary),
      ),
    );
  }
  const verdict = decide(route, path, facts, live, nowSeconds, certificate);
  if (!isDenial(verdict) && route.hook !== null) {
    const detail = `${route.hook.name} is asked; what it answers is not known here`;
    steps.push({ check: 'access hook', passed: true, code: null, detail });
  }
  return end(isDenial(verdict) ? verdict : null);
}

const step = (check: string, passed: boolean, code: RefusalCode, detail: string): Step => ({
  check,
  passed,
  code,
  detail,
});

interface Case {
  readonly route: Route;
  readonly access: Access;
  readonly facts: Facts;
  readonly path: string;
  readonly nowSeconds: number;
}

function detailOf(
  check: string,
  { route, access, facts, path, nowSeconds }: Case,
  words: Vocabulary,
): string {
  const seconds = (value: number, word: string): string =>
    value === -Infinity
      ? 'the token has none'
      : `${word} ${Math.abs(Math.round(value - nowSeconds))} s ${value >= nowSeconds ? 'from now' : 'ago'}`;
  const leeway = `leeway ${access.leewaySeconds[facts.issuer] ?? 0} s`;
  switch (check) {
    case 'issuer':
      return `the token is of ${words.issuers[facts.issuer]}; accepted: ${namesOf(access.issuers, words.issuers).join(', ')}`;
    case 'exp':
      return `${seconds(facts.expSeconds, 'expires')}, ${leeway}`;
    case 'nbf':
      return seconds(facts.nbfSeconds, 'valid from');
    case 'iat':
      return seconds(facts.iatSeconds, 'issued');
    case 'audience': {
      const accepted = access.audiences[facts.issuer];
      return accepted === null
        ? 'not looked at'
        : `accepted: ${namesIn(accepted ?? [], words.audiences).join(', ') || 'none'}`;
    }
    case 'binding':
      if (facts.certificate !== null) return 'the token is bound to a client certificate';
      return access.certificateBound[facts.issuer] === true
        ? 'the token is bound to none, and must be bound to a client certificate'
        : 'the token is bound to none, nor need it be';
    case 'certificate':
      return facts.certificate === null
        ? 'not looked at'
        : `must have the thumbprint ${facts.certificate}; give yours by --client-cert`;
    case 'token type': {
      const types = words.tokenTypes[facts.issuer] ?? [];
      if (types.length === 0) return 'the issuer has none';
      const allowed = typeNames(types, access.tokenTypes[facts.issuer] ?? 0);
      return `the token is of type ${typeNames(types, facts.tokenType).join()}; allowed: ${allowed.join(', ')}`;
    }
    case 'scopes':
      return scopesDetail(access, facts, words);
    case 'subject': {
      if (access.subjectParam === -1) return 'not bound';
      const param = route.params[access.subjectParam]!;
      return `must be {${param.name}}, which is "${paramText(path, param)}"; the token has ${facts.subject === null ? 'none' : `"${facts.subject}"`}`;
    }
    case 'claims':
      return access.claims.length === 0
        ? 'none compared'
        : `compared: ${access.claims.map(({ projection }) => words.projections[projection]!.path.join('.')).join(', ')}`;
    case 'key':
      return 'the key that verified the token is in its set';
    default:
      return '';
  }
}

function scopesDetail(access: Access, facts: Facts, { scopes }: Vocabulary): string {
  const lacking = namesIn(access.all, scopes).filter(
    (name) => !hasAll(facts.scopes, requirementOf([scopes.indexOf(name)])),
  );
  const unmet = access.any
    .filter((any) => !hasAny(facts.scopes, any))
    .map((any) => `one of ${namesIn(any, scopes).join(', ')}`);
  const lacks = [...lacking, ...unmet];
  if (lacks.length > 0) return `lacking: ${lacks.join('; ')}`;
  return access.challengeScope === '' ? 'none required' : `has what is required of: ${access.challengeScope}`;
}

/** In words, what the token of a route has to show. */
export function wantsOf(access: Access, words: Vocabulary): string {
  const parts = [`a token of ${namesOf(access.issuers, words.issuers).join(' or ')}`];
  if (access.all.length > 0) parts.push(`scopes ${namesIn(access.all, words.scopes).join(' and ')}`);
  for (const any of access.any) parts.push(`scope ${namesIn(any, words.scopes).join(' or ')}`);
  return parts.join(', ');
}

const namesOf = (flags: readonly boolean[], names: readonly string[]): string[] =>
  names.filter((_, index) => flags[index] === true);
