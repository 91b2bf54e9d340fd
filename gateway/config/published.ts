/** The OpenAPI document of a configuration, and its place in routes that answer it. Called by `load.ts`. */
import { commonMinor, publishedDocument, type PublishedOperation } from '../openapi/publish.ts';
import { compilePolicy } from '../route/compile.ts';
import type { Policy, Route } from '../route/policy.ts';
import { showPath, type ConfigPath, type PolicyProblem } from '../route/problem.ts';
import type { ImportedDocument } from './imports.ts';
import type { RouteNode } from './route-schema.ts';
import type { Config, IssuerConfig } from './schema.ts';

/** As JSON text; null where imported documents cannot be published as one. */
export function publishedBy(
  config: Config,
  policy: Policy,
  documents: readonly ImportedDocument[],
): string | null {
  const minor = commonMinor(documents);
  if (minor === null) return null;
  const byNode = new Map(documents.map((document) => [showPath(document.at), document]));
  const operationOf = ({ origin }: Route): PublishedOperation | null => {
    const document = byNode.get(showPath(origin.at.slice(0, -2)));
    const at = document?.operations[Number(origin.at.at(-1))];
    return document === undefined || at === undefined ? null : { document: document.value, at };
  };
  const schemes = Object.fromEntries(
    Object.entries(config.issuers).map(([name, issuer]) => [name, schemeOf(issuer)]),
  );
  const { title, version, internal } = config.openapi;
  const document = publishedDocument(policy, minor, {
    title,
    version,
    internal,
    schemes,
    operationOf,
    documents,
  });
  return `${JSON.stringify(document, null, 2)}\n`;
}

/** OpenAPI 3.1.1 section 4.8.27. */
function schemeOf({ issuer, keys }: IssuerConfig): Readonly<Record<string, unknown>> {
  if (keys.discovery !== true || issuer === undefined)
    return { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' };
  const slash = issuer.endsWith('/') ? '' : '/';
  return { type: 'openIdConnect', openIdConnectUrl: `${issuer}${slash}.well-known/openid-configuration` };
}

type Published = { readonly config: Config; readonly policy: Policy } | { readonly finding: PolicyProblem };

/** Puts the document into the routes that answer it, where there are any, and compiles them. */
export function withPublished(config: Config, policy: Policy, makeDocument: () => string | null): Published {
  const places: ConfigPath[] = [];
  const find = (node: RouteNode, at: ConfigPath): void => {
    if (node.respond?.openapi === true) places.push([...at, 'respond', 'openapi']);
    for (const [index, child] of (node.routes ?? []).entries()) find(child, [...at, 'routes', index]);
  };
  for (const [index, node] of config.routes.entries()) find(node, ['routes', index]);
  const [place] = places;
  if (place === undefined) return { config, policy };
  const document = makeDocument();
  if (document === null) return { finding: { path: place, message: mixedVersions } };
  const filled = { ...config, routes: config.routes.map((node) => withDocument(node, document)) };
  const compiled = compilePolicy(filled);
  return compiled.ok ? { config: filled, policy: compiled.policy } : { finding: compiled.problems[0]! };
}

function withDocument(node: RouteNode, document: string): RouteNode {
  const { respond } = node;
  const answer =
    respond?.openapi === true
      ? {
          ...respond,
          status: 200,
          headers: { 'content-type': 'application/json', ...respond.headers },
          body: document,
        }
      : respond;
  return { ...node, respond: answer, routes: node.routes?.map((child) => withDocument(child, document)) };
}

export const mixedVersions =
  'documents of OpenAPI 3.0 and of later versions are imported, whose schemas cannot be published as one';
