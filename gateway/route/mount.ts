/** Reads the endpoints for logins that a route serves. */
import { isPublic, type Chain } from './inherit.ts';
import type { OauthMount } from './policy.ts';
import type { ProblemList } from './problem.ts';
import type { OauthSource, PolicySource } from './source.ts';

export function mountOf(
  chain: Chain,
  { serve, account, open }: OauthSource,
  pattern: string,
  source: PolicySource,
  problems: ProblemList,
): OauthMount {
  const { node, at } = chain.at(-1)!;
  const place = node.oauth === undefined ? at : [...at, 'oauth'];
  const isOpen = isPublic(chain);
  if (source.oauth === undefined) {
    problems.add(place, 'there are no logins to serve: the section `oauth` is missing', { atKey: true });
  }
  if (!pattern.endsWith('/*') || pattern.includes('{')) {
    problems.add(place, 'logins are served below a `prefix` without parameters', { atKey: true });
  }
  if (isOpen && account === undefined) {
    problems.add(place, 'whose logins are these? A public route has no subject: give `account`', {
      atKey: true,
    });
  }
  if (open && !(serve === 'onboarding' && isOpen)) {
    problems.add(place, '`open` is for `serve: onboarding` on a public route', { atKey: true });
  }
  return { kind: serve, base: pattern.slice(0, -2), account: account ?? null, open };
}
