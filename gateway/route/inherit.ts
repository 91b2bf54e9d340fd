/**
 * Inheritance: what a route has, from the chain of nodes that lead to it. Pure questions about a chain, root first.
 *
 * Nearest node wins: issuer, audiences, upstream or respond or oauth or ticket or jwks, credential, subject, access_hook, public,
 * certificate_bound, allow_in_path, max_body_bytes, websocket, end_at_expiry, error_profile, exchange, json_body, limits.rate.
 * All levels together: claims, scopes.all and token_types as a union, scopes.any as one list per level, forward merged by name.
 */
import type { ConfigPath } from './problem.ts';
import type { RouteSource } from './source.ts';

/** A node of the route tree and its place in the configuration. */
export interface Level {
  readonly node: RouteSource;
  readonly at: ConfigPath;
}

export type Chain = readonly Level[];

/** A setting and the node that made it. */
export interface Found<T> {
  readonly value: T;
  readonly at: ConfigPath;
}

/** The setting of the nearest node that has it. */
export function nearest<T>(chain: Chain, pick: (node: RouteSource) => T | undefined): Found<T> | null {
  for (let i = chain.length - 1; i >= 0; i--) {
    const { node, at } = chain[i]!;
    const value = pick(node);
    if (value !== undefined) return { value, at };
  }
  return null;
}

/** Names that every level adds to, each with a place where it is written. */
export function gathered(
  chain: Chain,
  key: ConfigPath,
  pick: (node: RouteSource) => readonly string[] | undefined,
): ReadonlyMap<string, ConfigPath> {
  const names = new Map<string, ConfigPath>();
  for (const { node, at } of chain) {
    for (const [index, name] of (pick(node) ?? []).entries()) {
      names.set(name, [...at, ...key, index]);
    }
  }
  return names;
}

/** The names of accepted issuers; null when no level names one. */
export function issuersOf(chain: Chain): readonly string[] | null {
  const pick = (node: RouteSource) => node.issuers ?? (node.issuer === undefined ? undefined : [node.issuer]);
  return nearest(chain, pick)?.value ?? null;
}

export const isPublic = (chain: Chain): boolean => nearest(chain, (node) => node.public)?.value === true;

/** Settings of a node that ask for a token, by their spelling in the file. */
export function tokenSettings(node: RouteSource): readonly string[] {
  const settings: readonly (readonly [string, unknown])[] = [
    ['issuer', node.issuer],
    ['issuers', node.issuers],
    ['audiences', node.audiences],
    ['scopes', node.scopes],
    ['token_types', node.tokenTypes],
    ['subject', node.subject],
    ['claims', node.claims],
    ['access_hook', node.accessHook],
    ['certificate_bound', node.certificateBound],
  ];
  return settings.filter(([, value]) => value !== undefined).map(([key]) => key);
}

type Pick = (node: RouteSource) => unknown;

const ofNearest: readonly (readonly [setting: string, pick: Pick])[] = [
  ['issuers', (node) => node.issuers ?? node.issuer],
  ['audiences', (node) => node.audiences],
  ['public', (node) => node.public],
  ['subject', (node) => node.subject],
  ['access_hook', (node) => node.accessHook],
  ['certificate_bound', (node) => node.certificateBound],
  ['upstream', (node) => node.upstream ?? node.respond ?? node.oauth ?? node.ticket ?? node.jwks],
  ['credential', (node) => node.credential],
  ['limits.rate', (node) => node.limits?.rate],
  ['allow_in_path', (node) => node.allowInPath],
  ['max_body_bytes', (node) => node.maxBodyBytes],
  ['websocket', (node) => node.websocket],
  ['end_at_expiry', (node) => node.endAtExpiry],
  ['json_body', (node) => node.jsonBody],
  ['exchange', (node) => node.exchange],
  ['error_profile', (node) => node.errorProfile],
];
const ofAllLevels: readonly (readonly [setting: string, pick: Pick])[] = [
  ['scopes', (node) => node.scopes ?? node.anyOf],
  ['token_types', (node) => node.tokenTypes],
  ['claims', (node) => node.claims],
  ['forward', (node) => node.forward],
];

/** Settings that mean nothing on a public route. */
const aboutTokens = new Set([
  'issuers',
  'audiences',
  'scopes',
  'token_types',
  'subject',
  'claims',
  'access_hook',
  'certificate_bound',
]);

/** The nodes that each setting of a route comes from, root first; a setting that no node makes is left out. */
export function originsOf(chain: Chain): Readonly<Record<string, readonly ConfigPath[]>> {
  const origins: Record<string, readonly ConfigPath[]> = {};
  const isOpen = isPublic(chain);
  for (const [setting, pick] of ofNearest) {
    const found = isOpen && aboutTokens.has(setting) ? null : nearest(chain, pick);
    if (found !== null) origins[setting] = [found.at];
  }
  for (const [setting, pick] of ofAllLevels) {
    if (isOpen && aboutTokens.has(setting)) continue;
    const makers = chain.filter(({ node }) => pick(node) !== undefined);
    if (makers.length > 0) origins[setting] = makers.map(({ at }) => at);
  }
  return origins;
}
