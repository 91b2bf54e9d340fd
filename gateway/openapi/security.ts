/**
 * What the security requirements of an operation ask for, in the terms of routes: a list of alternatives (OR), each a map of
 * schemes (AND), whose scopes are all required. Tokens are told apart by their issuer, so that each scheme stands for one.
 *
 * Source: OpenAPI 3.1.1 section 4.8.30 (Security Requirement Object) and 4.8.27 (Security Scheme Object).
 */
import type { ConfigPath, ProblemList } from '../route/problem.ts';
import { isObject, member, resolved, type Json, type Located, type Minor } from './document.ts';

export interface SecurityOptions {
  /** Issuer by scheme name; false for a scheme that opens nothing here. */
  readonly schemes: Readonly<Record<string, string | false>>;
  /** What a requirement that may be left out (`{}`) becomes; undefined refuses it. */
  readonly optional?: 'required' | 'public' | undefined;
}

/** `unsaid`: the document does not say, and the node that imports it does. */
export type Access =
  | { readonly kind: 'unsaid' }
  /** At the place that says so. */
  | { readonly kind: 'public'; readonly at: ConfigPath }
  /** Every alternative needs a scheme that is left out. */
  | { readonly kind: 'nobody'; readonly at: ConfigPath }
  | {
      readonly kind: 'token';
      /** Null: those of the node that imports the document. */
      readonly issuers: readonly string[] | null;
      readonly all: readonly string[];
      readonly clauses: readonly (readonly string[])[];
    };

interface Alternative {
  readonly issuer: string | null;
  readonly scopes: readonly string[];
}

const clausesMax = 64;
const scopeName = /^[\x21\x23-\x5b\x5d-\x7e]+$/;

export class SecurityReader {
  readonly #document: unknown;
  readonly #minor: Minor;
  readonly #options: SecurityOptions;
  readonly #problems: ProblemList;

  constructor(document: unknown, minor: Minor, options: SecurityOptions, problems: ProblemList) {
    this.#document = document;
    this.#minor = minor;
    this.#options = options;
    this.#problems = problems;
  }

  /** Reads the requirements in force for one operation; null when they cannot be honoured, which is then a problem. */
  read({ value, at }: Located): Access | null {
    if (value === undefined) return { kind: 'unsaid' };
    if (!Array.isArray(value) || !value.every(isObject)) {
      this.#problems.add(at, '`security` is a list of mappings');
      return null;
    }
    if (value.length === 0) return { kind: 'public', at };
    const required = value.filter((requirement) => Object.keys(requirement).length > 0);
    if (required.length < value.length) {
      const { optional } = this.#options;
      if (optional === 'public') return { kind: 'public', at };
      if (optional === undefined || required.length === 0) {
        this.#problems.add(
          [...at, value.findIndex((requirement) => !required.includes(requirement))],
          'a token is optional here (`{}`), but a route asks for one or looks at none: choose by `openapi.optional`',
        );
        return null;
      }
    }
    const alternatives: Alternative[] = [];
    let failed = false;
    for (const [index, requirement] of value.entries()) {
      if (!required.includes(requirement)) continue;
      const read = this.#alternative(requirement, [...at, index]);
      if (read === 'impossible') failed = true;
      else if (read !== 'left out') alternatives.push(read);
    }
    if (failed) return null;
    if (alternatives.length === 0) return { kind: 'nobody', at };
    return this.#combine(alternatives, at);
  }

  /** One map: all of its schemes at once. */
  #alternative(requirement: Json, at: ConfigPath): Alternative | 'left out' | 'impossible' {
    const issuers = new Set<string | null>();
    const scopes = new Set<string>();
    let isLeftOut = false;
    for (const [name, names] of Object.entries(requirement)) {
      const place = [...at, name];
      const issuer = this.#issuerOf(name, place);
      if (issuer === undefined) return 'impossible';
      if (issuer === false) isLeftOut = true;
      else issuers.add(issuer);
      if (!this.#readScopes(name, names, place, scopes)) return 'impossible';
    }
    if (isLeftOut) return 'left out';
    if (issuers.size > 1) {
      this.#problems.add(at, 'tokens of two issuers at once cannot be asked for');
      return 'impossible';
    }
    return { issuer: [...issuers][0] ?? null, scopes: [...scopes] };
  }

  /** Undefined: it cannot be honoured, and that has been said. */
  #issuerOf(name: string, place: ConfigPath): string | false | null | undefined {
    const { schemes } = this.#options;
    const components = member(this.#document, 'components');
    const given = member(member(components, 'securitySchemes'), name);
    if (given === undefined) {
      this.#problems.add(place, `no security scheme "${name}" is in \`components.securitySchemes\``, {
        atKey: true,
      });
      return undefined;
    }
    const mapped = Object.hasOwn(schemes, name) ? schemes[name]! : null;
    if (mapped === false) return false;
    const at = ['components', 'securitySchemes', name];
    const scheme = resolved(this.#document, { value: given, at }, this.#problems);
    if (scheme === null) return undefined;
    const kind = schemeKind(scheme.value);
    if (kind === 'bearer' || (kind === 'authorization field' && mapped !== null)) return mapped;
    const wayOut =
      kind === 'authorization field'
        ? `if it holds a bearer token, say whose: \`openapi.schemes.${name}: ISSUER\``
        : `\`openapi.schemes.${name}: false\` leaves out what it alone opens`;
    this.#problems.add(
      scheme.at,
      `the security scheme "${name}" cannot be honoured, because tokens come by \`Authorization: Bearer\`; ${wayOut}`,
      { atKey: true },
    );
    return undefined;
  }

  #readScopes(name: string, names: unknown, place: ConfigPath, into: Set<string>): boolean {
    if (!Array.isArray(names) || !names.every((scope) => typeof scope === 'string')) {
      this.#problems.add(place, 'a scheme has a list of scopes, which may be empty');
      return false;
    }
    for (const [index, scope] of names.entries()) {
      if (!scopeName.test(scope)) {
        this.#problems.add([...place, index], 'no token can have this scope (RFC 6749 section 3.3)');
        return false;
      }
      into.add(scope);
    }
    const type = this.#typeOf(name);
    if (names.length > 0 && this.#minor === '3.0' && type !== 'oauth2' && type !== 'openIdConnect') {
      this.#problems.add(place, 'OpenAPI 3.0 has scopes with oauth2 and openIdConnect only');
      return false;
    }
    return true;
  }

  #typeOf(name: string): unknown {
    const at = ['components', 'securitySchemes', name];
    const value = member(member(member(this.#document, 'components'), 'securitySchemes'), name);
    return member(resolved(this.#document, { value, at }, this.#problems)?.value, 'type');
  }

  /** Alternatives of one issuer become lists of which one scope is required each; issuers must not differ in them. */
  #combine(alternatives: readonly Alternative[], at: ConfigPath): Access | null {
    const byIssuer = new Map<string | null, (readonly string[])[]>();
    for (const { issuer, scopes } of alternatives) {
      byIssuer.set(issuer, [...(byIssuer.get(issuer) ?? []), scopes]);
    }
    const forms = [...byIssuer.values()].map((sets) => conjunction(sets));
    const [first] = forms;
    if (first === undefined || forms.includes(null)) {
      this.#problems.add(at, 'the alternatives are too many to be written as lists of scopes');
      return null;
    }
    const keyOf = (form: typeof first): string =>
      JSON.stringify(form?.map((clause) => clause.toSorted()).toSorted());
    if (forms.some((form) => keyOf(form) !== keyOf(first))) {
      this.#problems.add(
        at,
        'alternatives of several issuers ask for different scopes, and a route asks all of its issuers for the same: leave some out by `openapi.schemes`',
      );
      return null;
    }
    const issuers = [...byIssuer.keys()];
    if (issuers.includes(null) && issuers.length > 1) {
      this.#problems.add(at, 'some of these schemes have an issuer by `openapi.schemes`, and some have none');
      return null;
    }
    return {
      kind: 'token',
      issuers: issuers[0] === null ? null : (issuers as string[]),
      all: first!.filter(({ length }) => length === 1).flat(),
      clauses: first!.filter(({ length }) => length > 1),
    };
  }
}

/** An OR of ANDs as an AND of ORs without needless members; null when it would be too long. */
export function conjunction(sets: readonly (readonly string[])[]): readonly (readonly string[])[] | null {
  let clauses: readonly ReadonlySet<string>[] = [new Set()];
  for (const set of sets) {
    const longer = clauses.flatMap((clause) => set.map((scope) => new Set([...clause, scope])));
    clauses = longer.filter(
      (clause, index) =>
        !longer.some(
          (other, at) => at !== index && isWithin(other, clause) && (at < index || !isWithin(clause, other)),
        ),
    );
    if (clauses.length > clausesMax) return null;
  }
  return clauses.map((clause) => Array.from(clause));
}

const isWithin = (small: ReadonlySet<string>, large: ReadonlySet<string>): boolean =>
  small.size <= large.size && [...small].every((name) => large.has(name));

function schemeKind(scheme: unknown): 'bearer' | 'authorization field' | 'other' {
  const text = (key: string): string => {
    const value = member(scheme, key);
    return typeof value === 'string' ? value.toLowerCase() : '';
  };
  switch (text('type')) {
    case 'oauth2':
    case 'openidconnect':
      return 'bearer';
    case 'http':
      return text('scheme') === 'bearer' ? 'bearer' : 'other';
    case 'apikey':
      return text('in') === 'header' && text('name') === 'authorization' ? 'authorization field' : 'other';
    default:
      return 'other';
  }
}
