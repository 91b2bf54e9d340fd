/** Compares how often two routes let callers through. */
import { isDeepStrictEqual } from 'node:util';
import type { Projection, RateLimit } from '../route/policy.ts';
import type { RouteSide } from './side.ts';
import { loosened, tightened, type Finding } from './change.ts';

export function compareRates(
  { route: { rate: old }, policy: before }: RouteSide,
  { route: { rate: now }, policy: after }: RouteSide,
): readonly Finding[] {
  if (old === null && now === null) return [];
  if (old === null) return [tightened('limits.rate', `at most ${textOf(now!)}`)];
  if (now === null) return [loosened('limits.rate', `${textOf(old)} became any number`)];
  const isCountedAlike = isDeepStrictEqual(
    countedBy(old, before.vocabulary.projections),
    countedBy(now, after.vocabulary.projections),
  );
  const [pace, burst] = [
    now.requests / now.perSeconds - old.requests / old.perSeconds,
    now.burst - old.burst,
  ];
  const detail = `${textOf(old)} became ${textOf(now)}`;
  return [
    ...(!isCountedAlike || pace > 0 || burst > 0 ? [loosened('limits.rate', detail)] : []),
    ...(!isCountedAlike || pace < 0 || burst < 0 ? [tightened('limits.rate', detail)] : []),
  ];
}

const textOf = ({ requests, perSeconds, burst, by }: RateLimit): string =>
  `${requests} in ${perSeconds} s (${burst} at once) by ${by.kind}`;

const countedBy = ({ by }: RateLimit, projections: readonly Projection[]): unknown =>
  by.kind === 'claim' ? projections[by.projection] : by.kind;
