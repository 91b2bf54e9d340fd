/** What an access hook is asked about a permitted request. The text is the body of the call and the key of its answer. */
import type { Facts } from '../core/facts.ts';
import { paramText } from '../route/decide.ts';
import type { Route, Vocabulary } from '../route/policy.ts';

/**
 * A JSON object: `route` (its id), `method`, `params` as they are written in the path, `issuer` (its name in the
 * configuration), `subject`, and the `claims` that the hook wants. Null when a claim is larger than what is kept of one.
 */
export function questionOf(
  route: Route,
  { methodName, path }: { readonly methodName: string; readonly path: string },
  facts: Facts,
  vocabulary: Vocabulary,
): string | null {
  const claims: Record<string, unknown> = {};
  for (const { name, projection } of route.hook!.claims) {
    const text = facts.claims[projection];
    if (text === false || text === undefined) return null;
    claims[name] = text === null ? null : (JSON.parse(text) as unknown);
  }
  const params = Object.fromEntries(route.params.map((param) => [param.name, paramText(path, param)]));
  const issuer = vocabulary.issuers[facts.issuer] ?? null;
  return JSON.stringify({
    route: route.id,
    method: methodName,
    params,
    issuer,
    subject: facts.subject,
    claims,
  });
}
