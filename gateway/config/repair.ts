/**
 * All problems at once: a file with a mistyped key still has its policy checked. What the schema refuses is taken out or
 * stood in for, what that taints is left unsaid, and the rest is checked as if the file had been right.
 */
import { isDeepStrictEqual } from 'node:util';
import type { ConfigPath, PolicyProblem } from '../route/problem.ts';
import { configSchema, type Config } from './schema.ts';
import { suggestionFor } from './suggest.ts';

export interface Repaired {
  readonly config: Config;
  /** Does a finding follow from what was wrong with the file, so that it may be none? */
  readonly isTainted: (finding: PolicyProblem) => boolean;
}

type Tree = Record<string | number, unknown>;

/** Settings of a route that name a section elsewhere. */
const names: ReadonlySet<string | number> = new Set(['issuer', 'issuers', 'upstream']);

/** Parts that other parts refer to: without them nothing more can be said. */
const referredTo = new Set(['issuers', 'upstreams', 'scopes', 'routes']);

/** A section that is right, in place of one that is not. */
function standInFor(section: 'issuers' | 'upstreams', name: string | number, written: unknown): Tree {
  if (section === 'upstreams') return { urls: ['http://127.0.0.1'] };
  const issuer = typeof written === 'object' && written !== null ? (written as Tree)['issuer'] : undefined;
  const keys = { jwks_file: 'unknown' };
  return { issuer: typeof issuer === 'string' ? issuer : `unknown ${name}`, algorithms: ['RS256'], keys };
}

/** Null when what is wrong leaves nothing to check. */
export function repair(value: unknown, findings: readonly PolicyProblem[]): Repaired | null {
  if (typeof value !== 'object' || value === null) return null;
  const root = structuredClone(value) as Tree;
  const tainted: ConfigPath[] = [];
  for (const { path, unknown } of findings) {
    const place = mend(root, path, unknown !== undefined);
    if (place === null) return null;
    if (place.length > 0) tainted.push(place);
  }
  const result = configSchema.safeParse(root);
  if (!result.success) return null;
  const isIssuerTainted = tainted.some(([section]) => section === 'issuers');
  return {
    config: result.data,
    isTainted: ({ path }) => {
      // A name that nothing has is wrong whatever else its route says.
      if (path[0] === 'routes' && path.some((step) => names.has(step))) return false;
      if (tainted.some((place) => isDeepStrictEqual(path.slice(0, place.length), place))) return true;
      // What an issuer accepts is unknown while its section is.
      return isIssuerTainted && (path.includes('token_types') || path.includes('audiences'));
    },
  };
}

/** Takes one fault out of the tree. The place that findings about are in doubt; empty for none; null to give up. */
function mend(root: Tree, path: ConfigPath, isUnknownKey: boolean): ConfigPath | null {
  const [section, name] = path;
  if (section === undefined) return null;
  if (path.length === 1) {
    if (referredTo.has(String(section))) return null;
    if (section === 'version') root['version'] = 1;
    else delete root[section];
    // A mistyped section is missing under its right name.
    return isUnknownKey && suggestionFor(String(section), [...referredTo]) !== null ? null : [];
  }
  if (section === 'issuers' || section === 'upstreams') {
    const sections = root[section] as Tree;
    sections[name!] = standInFor(section, name!, sections[name!]);
    return [section, name!];
  }
  if (section === 'routes') return mendRoute(root, path);
  if (referredTo.has(String(section))) return null;
  delete root[section];
  return [section];
}

/** Takes out the whole setting of a route in which the fault lies. */
function mendRoute(root: Tree, path: ConfigPath): ConfigPath | null {
  let node = root;
  let depth = 0;
  while (path[depth] === 'routes' && typeof path[depth + 1] === 'number') {
    const children = node['routes'] as Tree[];
    const child = children[path[depth + 1] as number];
    if (typeof child !== 'object' || child === null) return null;
    node = child;
    depth += 2;
  }
  const setting = path[depth];
  if (setting === undefined) return null;
  delete node[setting];
  return path.slice(0, depth);
}
