/** Reads the endpoints for logins that a route serves. */
import { isPublic, type Chain } from './inherit.ts';
import type { OauthMount } from './policy.ts';
import type { ProblemList } from './problem.ts';
import type { OauthSource, PolicySource } from './source.ts';

/** `pattern`: of the node that says `oauth`, which may be one above; each endpoint below it can be a route of its own. */
export function mountOf(
  chain: Chain,
  { serve, account, open }: OauthSource,
  pattern: string,
  source: PolicySource,
  problems: ProblemList,
): OauthMount {
  const { node, at } = chain.at(-1)!;
  const isOpen = isPublic(chain);
  const isOwn = node.oauth !== undefined;
  const place = isOwn ? [...at, 'oauth'] : at;
  const refuse = (problem: string): void => problems.add(place, problem, { atKey: true });
  if (isOwn && source.oauth === undefined)
    refuse('there are no logins to serve: the section `oauth` is missing');
  if (isOwn && (!pattern.endsWith('/*') || pattern.includes('{')))
    refuse('logins are served below a `prefix` without parameters');
  if (isOpen && account === undefined)
    refuse('whose logins are these? A public route has no subject: give `account`');
  if (isOwn && open && !(serve === 'onboarding' && isOpen))
    refuse('`open` is for `serve: onboarding` on a public route');
  return { kind: serve, base: pattern.slice(0, -2), account: account ?? null, open };
}
