/** Compares what two routes ask claims to be. */
import { isDeepStrictEqual } from 'node:util';
import type { Param } from '../route/policy.ts';
import type { ProtectedSide } from './side.ts';
import { loosened, tightened, type Finding } from './change.ts';

/** A check with its indexes resolved. */
interface Check {
  readonly claim: readonly string[];
  readonly span: Pick<Param, 'first' | 'last'> | null;
  readonly values: readonly string[];
  readonly passesAbsent: boolean;
}

export function compareClaims(old: ProtectedSide, now: ProtectedSide): readonly Finding[] {
  const before = checksOf(old);
  const after = checksOf(now);
  const textOf = ({ claim }: Check): string => claim.join('.');
  return [
    ...before
      .filter((check) => !after.some((other) => implies(other, check)))
      .map((check) => loosened('claims', `what ${textOf(check)} had to be is no longer asked for`)),
    ...after
      .filter((check) => !before.some((other) => implies(other, check)))
      .map((check) => tightened('claims', `what ${textOf(check)} must be is asked for`)),
  ];
}

function checksOf({ access, route, policy }: ProtectedSide): readonly Check[] {
  return access.claims.map(({ projection, param, values, passesAbsent }) => {
    const bound = param === -1 ? null : route.params[param]!;
    const span = bound === null ? null : { first: bound.first, last: bound.last };
    return { claim: policy.vocabulary.projections[projection]!.path, span, values, passesAbsent };
  });
}

/** Does every token that meets `one` meet `other`? */
function implies(one: Check, other: Check): boolean {
  return (
    isDeepStrictEqual(one.claim, other.claim) &&
    isDeepStrictEqual(one.span, other.span) &&
    one.values.every((value) => other.values.includes(value)) &&
    (other.passesAbsent || !one.passesAbsent)
  );
}
