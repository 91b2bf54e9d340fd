/** What an explanation says of a route, in words that the command line and the console share. */
import type { Route } from '../route/policy.ts';
import { showPath } from '../route/problem.ts';

/** Each setting that a route has from nodes above it, and those nodes. */
export function inheritedBy({ origin }: Route): Record<string, string> {
  const own = showPath(origin.at);
  const inherited = Object.entries(origin.from).map(([setting, places]): [string, string] => [
    setting,
    places
      .map(showPath)
      .filter((place) => place !== own)
      .join(', '),
  ]);
  return Object.fromEntries(inherited.filter(([, places]) => places !== ''));
}

/** How a request is served that is let through; empty without a route. */
export function servedBy(route: Route | null): string {
  if (route === null) return '';
  const { respond, upstream, oauth, jwks } = route;
  if (jwks) return '200, the public keys of the signers, answered here';
  if (oauth !== null) return `logins (${oauth.kind}), answered here`;
  return respond === null ? `forwarded to the upstream ${upstream}` : `${respond.status}, answered here`;
}
