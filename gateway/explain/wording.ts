/** What an explanation says of a route, in words that the command line and the console share. */
import { typeNames } from '../route/error-profile.ts';
import type { Policy, Route } from '../route/policy.ts';
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

/** What a route asks for or does besides letting requests through: sentences. */
export function besides({ access, jsonBody, exchange }: Route, { vocabulary, renewals }: Policy): string[] {
  const sentences: string[] = [];
  const { issuers, tokenTypes } = vocabulary;
  const accepted = issuers.flatMap((name, index) =>
    access?.issuers[index] === true ? [{ name, index }] : [],
  );
  const bound = accepted.filter(({ index }) => access!.certificateBound[index] === true);
  if (bound.length > 0)
    sentences.push(`tokens of ${listed(bound)} must be bound to the client certificate (RFC 8705)`);
  if (jsonBody) sentences.push('a body must be JSON, which is looked at before the token');
  if (exchange !== null) {
    const types = accepted.flatMap(({ index }) => typeNames(tokenTypes[index]!, exchange.from[index] ?? 0));
    const given = `in the field ${exchange.header}, signed by ${exchange.signer}`;
    sentences.push(
      `${[...new Set(types)].join(', ')} tokens are exchanged for ${exchange.to} ones, ${given}`,
    );
  }
  const renewed = accepted.filter(({ index }) => (renewals[index] ?? null) !== null);
  for (const { name, index } of renewed) {
    const { header, signer } = renewals[index]!;
    sentences.push(`tokens of ${name} are renewed in the field ${header}, signed by ${signer}`);
  }
  return sentences;
}

const listed = (issuers: readonly { readonly name: string }[]): string =>
  issuers.map(({ name }) => name).join(', ');
