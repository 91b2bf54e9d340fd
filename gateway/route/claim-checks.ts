/** Reads what claims of a token must be, and which access hook is asked and told what. */
import type { Projections } from './forwarding.ts';
import { nearest, type Chain } from './inherit.ts';
import type { ClaimCheck, HookUse, Param } from './policy.ts';
import type { ProblemList } from './problem.ts';
import type { PolicySource } from './source.ts';

/** Those of all levels. */
export function readClaimChecks(
  chain: Chain,
  params: readonly Param[],
  projections: Projections,
  problems: ProblemList,
): readonly ClaimCheck[] {
  const names = params.map(({ name }) => name);
  return chain.flatMap(({ node, at }) =>
    (node.claims ?? []).map(({ claim, param, values, absent }, index): ClaimCheck => {
      const place = [...at, 'claims', index];
      if ((param === undefined) === (values === undefined))
        problems.add(place, 'a claim is compared with either `param` or `values`', { atKey: true });
      if (param !== undefined && !names.includes(param)) {
        problems.add([...place, 'param'], `"${param}" is not a path parameter of every route that has this`, {
          unknown: { word: param, among: names },
        });
      }
      return {
        projection: projections.add({ claim, json: true }),
        param: param === undefined ? -1 : names.indexOf(param),
        values: values ?? [],
        passesAbsent: absent === 'pass',
      };
    }),
  );
}

/** An unknown name has been reported where it stands. */
export function hookOf(chain: Chain, source: PolicySource, projections: Projections): HookUse | null {
  const name = nearest(chain, (node) => node.accessHook)?.value;
  if (name === undefined || !Object.hasOwn(source.accessHooks, name)) return null;
  const claims = Object.entries(source.accessHooks[name]!.claims).map(([key, claim]) => ({
    name: key,
    projection: projections.add({ claim, json: true }),
  }));
  return { name, claims };
}
