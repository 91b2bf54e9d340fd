/** Traefik with the ForwardAuth middleware: a dynamic configuration for its file provider. */
import { parsePattern, type Segment } from '../route/pattern.ts';
import type { Route } from '../route/policy.ts';
import { upstreamFor } from '../decision/answer.ts';
import { block, certificateFields, type Front, spellings } from './front.ts';

const quoted = (text: string): string => JSON.stringify(text);

export function traefikSnippet({ gateway, mountPath, upstreams, fields, routes }: Front): string {
  const owned = `(?i)^(?:${fields.map(spellings).join('|')})$`;
  const middlewares = upstreams.map(
    ({ tag }) => `sallyport-${tag}:
      forwardAuth:
        address: ${quoted(`http://${gateway}${mountPath}?upstream=${tag}`)}
        trustForwardHeader: false
        authRequestHeaders: [Authorization]
        authResponseHeadersRegex: ${quoted(owned)}`,
  );
  const removed = certificateFields.map((name) => `${name}: ""`).join(', ');
  const services = upstreams.map(
    ({ tag, urls }) => `to-${tag}:
      loadBalancer:
        passHostHeader: false
        servers: [${urls.map((url) => `{ url: ${quoted(url.origin)} }`).join(', ')}]`,
  );
  return `# Sallyport decides, Traefik forwards. A dynamic configuration, for the file provider (Traefik 3).
#
# Traefik chooses the service before it asks, so the routes are here as well; the decision is bound to the service by
# \`?upstream=\`, and is no where the two disagree. What no router here has, and routes that the gateway serves itself
# (respond, oauth, credential), are passed on to it.
# The entry point must not trust X-Forwarded-* of its callers, and should keep \`sanitizePath\` as it is.
http:
  middlewares:
    # Traefik cannot say in these fields what certificate it was shown (RFC 9440): tokens that are bound to one are refused.
    sallyport-callers:
      headers: { customRequestHeaders: { ${removed} } }
    ${middlewares.join('\n    ')}
  routers:
${block('    ', routersOf(routes))}
  services:
    ${services.join('\n    ')}
    sallyport:
      loadBalancer:
        servers: [{ url: ${quoted(`http://${gateway}`)} }]
`;
}

/** The more specific pattern first, as the gateway matches; the rest goes to the gateway. */
function routersOf(routes: readonly Route[]): readonly string[] {
  const ranked = routes
    .map((route) => ({ route, segments: parsePattern(route.pattern) }))
    .toSorted((a, b) => (kindsOf(a.segments) < kindsOf(b.segments) ? -1 : 1));
  const lines = ranked.flatMap(({ route, segments }, rank) => {
    const tag = upstreamFor(route);
    const middlewares = tag === '' ? 'sallyport-callers' : `sallyport-callers, sallyport-${tag}`;
    const service = tag === '' ? 'sallyport' : `to-${tag}`;
    const rule = ruleOf(segments) + methodsRule(route);
    const priority = ranked.length - rank + 1;
    return `route-${route.index}: { rule: ${quoted(rule)}, priority: ${priority}, service: ${service}, middlewares: [${middlewares}] }`;
  });
  return [
    ...lines,
    'rest: { rule: "PathPrefix(`/`)", priority: 1, service: sallyport, middlewares: [sallyport-callers] }',
  ];
}

const kindsOf = (segments: readonly Segment[]): string =>
  segments.map(({ kind }) => ({ literal: 'a', param: 'b', greedy: 'c', rest: 'e' })[kind]).join('') + 'd';

function methodsRule({ methods }: Route): string {
  if (methods === null) return '';
  const all = methods.includes('GET') ? [...new Set([...methods, 'HEAD'])] : methods;
  return ` && (${all.map((method) => `Method(\`${method}\`)`).join(' || ')})`;
}

function ruleOf(segments: readonly Segment[]): string {
  const isLiteral = segments.every(({ kind }) => kind === 'literal' || kind === 'rest');
  const isPrefix = segments.at(-1)?.kind === 'rest';
  if (isLiteral) {
    const path = segments.map((segment) => (segment.kind === 'literal' ? `/${segment.text}` : '')).join('');
    if (!path.includes('`')) {
      if (!isPrefix) return `Path(\`${path}\`)`;
      return path === '' ? 'PathPrefix(`/`)' : `(Path(\`${path}\`) || PathPrefix(\`${path}/\`))`;
    }
  }
  const pattern = segments.map((segment) => {
    if (segment.kind === 'rest') return '(?:/.*)?';
    if (segment.kind === 'param') return '/[^/]+';
    if (segment.kind === 'greedy') return '/.+';
    return `/${segment.text.replaceAll('`', '\\x60').replaceAll(/[.*+?^${}()|[\]]/g, '\\$&')}`;
  });
  return `PathRegexp(\`^${pattern.join('')}$\`)`;
}
