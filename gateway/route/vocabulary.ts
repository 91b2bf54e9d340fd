/** The vocabulary: every name that a policy tests, and its bit. A name that no route asks for gets none. */
import { assert } from '../core/assert.ts';
import type { Requirement } from '../core/mask.ts';
import type { Projection, Vocabulary } from './policy.ts';

/** Gives out dense indexes in the order of first use. */
export class Names {
  readonly #indexes = new Map<string, number>();

  add(name: string): number {
    let index = this.#indexes.get(name);
    if (index === undefined) this.#indexes.set(name, (index = this.#indexes.size));
    return index;
  }

  indexOf(name: string): number {
    const index = this.#indexes.get(name);
    assert(index !== undefined, 'every name is collected before its bit is asked for');
    return index;
  }

  get list(): readonly string[] {
    return [...this.#indexes.keys()];
  }
}

type Implies = Readonly<Record<string, readonly string[]>>;

/** The scopes that `scope` grants, itself included, transitively. Cycles are fine. */
export function closureOf(scope: string, implies: Implies): ReadonlySet<string> {
  const granted = new Set([scope]);
  // A set is walked in the order of insertion, and what is added on the way is walked too.
  for (const name of granted) {
    if (!Object.hasOwn(implies, name)) continue;
    for (const further of implies[name]!) granted.add(further);
  }
  return granted;
}

export interface Collected {
  readonly issuers: readonly string[];
  readonly tokenTypes: readonly (readonly string[])[];
  /** Scopes that routes name. */
  readonly scopes: Iterable<string>;
  readonly audiences: Names;
  readonly projections: readonly Projection[];
}

/** Adds the scopes that grant one that is named, and folds implication. */
export function vocabularyOf(collected: Collected, implies: Implies): Vocabulary {
  const scopes = new Names();
  for (const scope of collected.scopes) scopes.add(scope);
  const named = new Set(scopes.list);
  const closures = new Map<string, readonly string[]>();
  for (const scope of new Set([...named, ...Object.keys(implies)])) {
    const granted = [...closureOf(scope, implies)];
    if (!granted.some((name) => named.has(name))) continue;
    scopes.add(scope);
    closures.set(scope, granted);
  }
  const known = new Set(scopes.list);
  const implied = scopes.list.map((scope) =>
    closures
      .get(scope)!
      .filter((name) => known.has(name))
      .map((name) => scopes.indexOf(name)),
  );
  return {
    scopes: scopes.list,
    implied,
    audiences: collected.audiences.list,
    issuers: collected.issuers,
    tokenTypes: collected.tokenTypes,
    projections: collected.projections,
  };
}

/** The names that a requirement stands for, in the order of their bits. */
export function namesIn(requirement: Requirement, names: readonly string[]): string[] {
  const found: string[] = [];
  for (let i = 0; i < requirement.length; i += 2) {
    for (let bits = requirement[i + 1]!; bits !== 0; bits &= bits - 1)
      found.push(names[requirement[i]! * 32 + 31 - Math.clz32(bits & -bits)]!);
  }
  return found;
}
