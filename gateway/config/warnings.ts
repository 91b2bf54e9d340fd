/** What a good configuration says that its author may not have meant. Told by `check` and at every start. */
import type { Policy } from '../route/policy.ts';
import { ProblemList, type PolicyProblem } from '../route/problem.ts';
import type { Config } from './schema.ts';

export function warningsOf(config: Config, policy: Policy): readonly PolicyProblem[] {
  const warnings = new ProblemList();
  warnUnused(config, policy, warnings);
  warnImplied(config, policy, warnings);
  return warnings.all;
}

function warnUnused(
  { issuers, upstreams, accessHooks }: Config,
  { routes }: Policy,
  warnings: ProblemList,
): void {
  for (const [index, name] of Object.keys(issuers).entries()) {
    const isUsed = routes.some(({ access }) => access?.issuers[index] === true);
    if (!isUsed) warnings.add(['issuers', name], 'no route takes tokens of this issuer', { atKey: true });
  }
  const asked = new Set(routes.map(({ hook }) => hook?.name));
  for (const name of Object.keys(accessHooks)) {
    if (!asked.has(name)) warnings.add(['access_hooks', name], 'no route asks this hook', { atKey: true });
  }
  const used = new Set(routes.map(({ upstream }) => upstream));
  for (const name of Object.keys(upstreams)) {
    if (!used.has(name))
      warnings.add(['upstreams', name], 'no route leads to this upstream', { atKey: true });
  }
}

/** A scope is whatever issuers write, so that a mistyped one cannot be told from a rare one; here it can. */
function warnImplied({ scopes }: Config, { vocabulary }: Policy, warnings: ProblemList): void {
  for (const [name, granted] of Object.entries(scopes.implies)) {
    for (const [index, scope] of granted.entries()) {
      if (vocabulary.scopes.includes(scope)) continue;
      const unknown = { word: scope, among: vocabulary.scopes };
      warnings.add(['scopes', 'implies', name, index], `no route asks for the scope "${scope}"`, { unknown });
    }
  }
}
