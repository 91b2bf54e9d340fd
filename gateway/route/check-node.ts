/** What can be said of one node of the route tree by itself and the nodes above it, whether it serves or not. */
import { checkForward } from './forwarding.ts';
import { isPublic, tokenSettings, type Chain } from './inherit.ts';
import { patternProblem } from './pattern.ts';
import type { ConfigPath, ProblemList } from './problem.ts';
import type { PolicySource, RouteSource } from './source.ts';

/** Checks the last node of a chain; false when neither it nor anything below it can be read. */
export function checkNode(chain: Chain, source: PolicySource, problems: ProblemList): boolean {
  const { node, at } = chain.at(-1)!;
  checkPublic(chain, problems);
  checkForward(chain.at(-1)!, isPublic(chain), problems);
  if (node.issuer !== undefined && node.issuers !== undefined) {
    problems.add([...at, 'issuers'], '`issuer` and `issuers` exclude each other', { atKey: true });
  }
  checkOneTarget(node, at, problems);
  const hasChildren = (node.routes ?? []).length > 0;
  if (node.closed === true && !hasChildren) {
    problems.add([...at, 'closed'], 'a closed prefix without routes serves nothing');
  }
  if (node.openapi !== undefined && node.path !== undefined) {
    problems.add([...at, 'path'], 'the paths come from the document: give a `prefix` to put them below one', {
      atKey: true,
    });
    return false;
  }
  if (node.openapi === undefined && (node.path === undefined) === (node.prefix === undefined)) {
    problems.add(at, 'a route has either `path` or `prefix`', { atKey: true });
    return false;
  }
  checkNames(node, at, source, problems);
  if (node.path === undefined && node.prefix === undefined) return true;
  return node.path === undefined
    ? checkPrefix(node, at, problems)
    : checkPath(node, at, chain.length > 1, problems);
}

function checkOneTarget(node: RouteSource, at: ConfigPath, problems: ProblemList): void {
  const given = (['upstream', 'respond', 'oauth', 'ticket', 'jwks'] as const).filter(
    (key) => node[key] !== undefined,
  );
  for (const key of given.slice(1)) {
    problems.add([...at, key], `\`${given[0]!}\` and \`${key}\` exclude each other`, { atKey: true });
  }
}

function checkPath(node: RouteSource, at: ConfigPath, isBelow: boolean, problems: ProblemList): boolean {
  if (node.closed !== undefined)
    problems.add([...at, 'closed'], 'only a `prefix` can be closed', { atKey: true });
  if (node.routes !== undefined) {
    problems.add([...at, 'routes'], 'a `path` has no routes below it; make it a `prefix`', { atKey: true });
    return false;
  }
  const path = node.path!;
  let problem = path === '' ? null : patternProblem(path);
  if (path === '' && !isBelow) problem = 'an empty path is the path of the parent, and there is no parent';
  if (problem !== null) problems.add([...at, 'path'], problem);
  return problem === null;
}

function checkPrefix(node: RouteSource, at: ConfigPath, problems: ProblemList): boolean {
  const place = [...at, 'prefix'];
  const prefix = node.prefix!;
  let problem = prefix === '/' ? null : patternProblem(prefix);
  if (prefix.length > 1 && prefix.endsWith('/'))
    problem = `a prefix ends without a slash: "${prefix.replace(/\/+$/, '')}"`;
  else if (/\{[^}]*\*\}/.test(prefix)) problem = '{name*} stands in a `path` only';
  if (problem !== null) problems.add(place, problem);
  return problem === null;
}

/** A name that nothing has is wrong even where no route comes to use it. */
function checkNames(node: RouteSource, at: ConfigPath, source: PolicySource, problems: ProblemList): void {
  const issuers = Object.keys(source.issuers);
  if (node.issuer !== undefined && !issuers.includes(node.issuer)) {
    problems.addUnknown([...at, 'issuer'], 'issuer', node.issuer, issuers);
  }
  for (const [index, name] of (node.issuers ?? []).entries()) {
    if (!issuers.includes(name)) problems.addUnknown([...at, 'issuers', index], 'issuer', name, issuers);
  }
  const hooks = Object.keys(source.accessHooks);
  if (node.accessHook !== undefined && !hooks.includes(node.accessHook)) {
    problems.addUnknown([...at, 'access_hook'], 'access hook', node.accessHook, hooks);
  }
  const profiles = Object.keys(source.errorProfiles ?? {});
  if (node.errorProfile !== undefined && !profiles.includes(node.errorProfile)) {
    problems.addUnknown([...at, 'error_profile'], 'error profile', node.errorProfile, profiles);
  }
  const upstreams = Object.keys(source.upstreams);
  if (node.upstream !== undefined && !upstreams.includes(node.upstream)) {
    problems.addUnknown([...at, 'upstream'], 'upstream', node.upstream, upstreams);
  }
}

function checkPublic(chain: Chain, problems: ProblemList): void {
  const { node, at } = chain.at(-1)!;
  const settings = tokenSettings(node);
  if (!isPublic(chain) || settings.length === 0) return;
  const reason =
    node.public === true
      ? 'the route is public: no token is looked at'
      : 'a group above is public: say `public: false` here, or leave this out';
  for (const key of settings) problems.add([...at, key], reason, { atKey: true });
}
