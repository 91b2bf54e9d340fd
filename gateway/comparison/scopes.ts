/**
 * Compares what two policies ask of the scopes of a token.
 *
 * A requirement is an AND of ORs over the scopes that a token can carry: for a required scope, any of the scopes that grant it.
 * There is no negation, so that one such requirement implies another exactly where each OR of the other holds all of some
 * OR of it: with all scopes but those of that OR, a token would meet the one and not the other.
 */
import type { Access, Vocabulary } from '../route/policy.ts';
import { namesIn } from '../route/vocabulary.ts';
import { loosened, tightened, type Finding } from './change.ts';

type Clause = ReadonlySet<string>;

export interface ScopeRequirement {
  readonly clauses: readonly Clause[];
}

export function scopeRequirement(access: Access, vocabulary: Vocabulary): ScopeRequirement {
  const grantersOf = (required: string): readonly string[] => {
    const bit = vocabulary.scopes.indexOf(required);
    return vocabulary.scopes.filter((_, index) => vocabulary.implied[index]!.includes(bit));
  };
  const all = namesIn(access.all, vocabulary.scopes).map((name) => new Set(grantersOf(name)));
  const any = access.any.map((list) => new Set(namesIn(list, vocabulary.scopes).flatMap(grantersOf)));
  return { clauses: [...all, ...any] };
}

export function compareScopes(old: ScopeRequirement, now: ScopeRequirement): readonly Finding[] {
  const dropped = unimplied(old, now);
  const added = unimplied(now, old);
  return [
    ...dropped.map((clause) => loosened('scopes', `${textOf(clause)} no longer required`)),
    ...added.map((clause) => tightened('scopes', `${textOf(clause)} required`)),
  ];
}

/** The clauses of `wanted` that a token need not meet to meet all of `given`. */
function unimplied(wanted: ScopeRequirement, given: ScopeRequirement): readonly Clause[] {
  return wanted.clauses.filter(
    (clause) => !given.clauses.some((other) => [...other].every((name) => clause.has(name))),
  );
}

const textOf = (clause: Clause): string => [...clause].join(' or ');
