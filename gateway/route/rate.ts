/** Reads the rate of a route: that of the nearest node that sets one, which all routes share that have it from there. */
import type { Projections } from './forwarding.ts';
import { type Chain, isPublic, nearest } from './inherit.ts';
import type { RateLimit } from './policy.ts';
import type { ProblemList } from './problem.ts';
import type { RateSource } from './source.ts';

/** A whole burst may take no longer than this to come back: the time that shared memory can hold. */
const spanSecondsMax = 86_400;

/** `nameOf` names the node at the end of a chain. */
export function rateOf(
  chain: Chain,
  nameOf: (chain: Chain) => string,
  projections: Projections,
  problems: ProblemList,
): RateLimit | null {
  const found = nearest(chain, (node) => node.limits?.rate);
  if (found === null || found.value === 'none') return null;
  const { requests, perSeconds, burst = requests, by } = found.value;
  const at = [...found.at, 'limits', 'rate'];
  if ((perSeconds * burst) / requests > spanSecondsMax)
    problems.add([...at, 'burst'], 'a whole burst would take more than a day to come back');
  const setter = chain.findLastIndex(({ node }) => node.limits?.rate !== undefined);
  if (isPublic(chain) && by !== 'address' && by !== 'route') {
    // A setting about tokens that a public route has from above means nothing there.
    if (setter < chain.length - 1) return null;
    problems.add(at, 'who is it? A public route has no token: say `by: address` or `by: route`', {
      atKey: true,
    });
  }
  return {
    name: nameOf(chain.slice(0, setter + 1)),
    requests,
    perSeconds,
    burst,
    by: byOf(by, projections),
  };
}

function byOf(by: RateSource['by'], projections: Projections): RateLimit['by'] {
  if (typeof by === 'string') return { kind: by };
  return { kind: 'claim', projection: projections.add(by.claim) };
}
