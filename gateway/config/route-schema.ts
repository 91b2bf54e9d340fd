/** The route tree: which paths there are, and what each asks for. Inheritance is resolved by `route/compile.ts`. */
import { z } from 'zod';
import { methods } from '../core/methods.ts';
import { oauthMounts } from '../route/source.ts';
import { claimPath, count, headerName, headerValue, labelName, scopeName, secretText } from './scalars.ts';
import { section } from './section.ts';
import { exchange } from './signer-schema.ts';
import { ticket, webSocket } from './websocket-schema.ts';

const scopes = section({
  all: z.array(scopeName).min(1).optional().describe('Every one is required; those of outer levels too.'),
  any: z.array(scopeName).min(1).optional().describe('One of them is required, and one of each outer `any`.'),
});

const claimHeader = z.union([
  claimPath,
  section({
    claim: claimPath,
    join: z.string().max(8).optional().describe('Separator for an array; without it an array is refused.'),
    json: z.literal(true).optional().describe('Send the value as JSON (ASCII).'),
    required: z
      .boolean()
      .default(false)
      .describe('Refuse tokens without the claim instead of leaving the field out.'),
  }),
]);

// No defaults in here: what a node leaves out it has from the nodes above it.
const forwarding = section({
  claims: z.record(headerName, claimHeader).optional().describe('Header fields made of claims.'),
  set: z
    .record(headerName, secretText(headerValue))
    .optional()
    .describe('Header fields with a constant value.'),
  remove: z.array(headerName).optional().describe('Request fields that are not forwarded.'),
  authorization: z.boolean().optional().describe('Forward the Authorization field. Default: false.'),
  host: z
    .enum(['upstream', 'original'])
    .optional()
    .describe('Which Host the upstream sees. Default: upstream.'),
});

const respond = section({
  status: count(200, 599).default(204).describe('Status of the answer.'),
  headers: z.record(headerName, headerValue).default({}).describe('Header fields of the answer.'),
  body: z.string().max(65_536).default('').describe('Body of the answer.'),
  openapi: z
    .literal(true)
    .optional()
    .describe('Answer the OpenAPI document of all routes (200, JSON) in the place of `status` and `body`.'),
});

const oauthEndpoints = section({
  serve: z
    .enum(oauthMounts)
    .describe('`page`: for people. `json`: for programs. `onboarding`: as hermes-webui has it.'),
  account: labelName
    .optional()
    .describe(
      'Whose logins these are. Default: the issuer and the subject of the token, `main/alice`; a public route has to say it.',
    ),
  open: z
    .boolean()
    .default(false)
    .describe('`onboarding` on a public route: let callers start that are not in a private network.'),
});

const credential = section({
  provider: labelName.describe('A provider of the section `oauth`.'),
  account: z
    .union([z.string().min(1).max(256), section({ claim: claimPath })])
    .optional()
    .describe(
      'A fixed account, or the claim that names it. Default: the subject of the token. What a token names is named after its issuer, too: `main/alice`.',
    ),
});

const claimCheck = section({
  claim: claimPath,
  param: z.string().min(1).optional().describe('Path parameter that must equal the claim, as raw text.'),
  values: z.array(z.string()).min(1).optional().describe('Texts of which the claim must be one.'),
  absent: z.enum(['refuse', 'pass']).default('refuse').describe('What becomes of tokens without the claim.'),
});

const openapi = z.union([
  z.string().min(1),
  section({
    file: z.string().min(1).describe('The document: JSON or YAML, in one file; watched.'),
    schemes: z
      .record(z.string(), z.union([z.string(), z.literal(false)]))
      .default({})
      .describe(
        'Issuer by the name of a security scheme; `false` leaves out what the scheme opens. Others have the issuer of the route.',
      ),
    optional: z
      .enum(['required', 'public'])
      .optional()
      .describe('What operations become whose token is optional (`{}`). Default: refused.'),
    base: z
      .string()
      .regex(/^(?:\/.*[^/])?$/, 'must be empty, or begin with a slash and end without one')
      .optional()
      .describe('Base path of the operations. Default: those of `servers` in the document.'),
  }),
]);
const rate = section({
  requests: count(1, 1_000_000).describe('So many.'),
  per_seconds: count(1, 86_400).describe('In so much time.'),
  burst: count(1, 1_000_000).optional().describe('So many at once. Default: `requests`.'),
  by: z
    .union([z.enum(['subject', 'address', 'route']), section({ claim: claimPath })])
    .default('subject')
    .describe('Whose are counted together: one subject, address (IPv6: /64) or claim value; `route`: all.'),
});

const limits = section({
  rate: z
    .union([z.literal('none'), rate])
    .optional()
    .describe('How often requests are let through; above it 429. Routes below share it, or set their own.'),
});

const pathAllowance = z.enum(['encoded_slash', 'semicolon', 'empty_segment']);

const routeShape = {
  id: labelName.optional().describe('Name in metrics and logs. Default: methods and path.'),
  path: z
    .string()
    .regex(/^(?:\/.*)?$/, 'must begin with a slash, or be empty for the path of the parent')
    .optional()
    .describe('Exact path below the parent; `{name}` is one segment, `{name*}` one or more.'),
  prefix: z
    .string()
    .regex(/^\//, 'must begin with a slash')
    .optional()
    .describe('This path and everything below it, below the parent.'),
  methods: z.array(z.enum(methods)).min(1).optional().describe('Default: every one. GET includes HEAD.'),
  openapi: openapi
    .optional()
    .describe('An OpenAPI document (3.0, 3.1, 3.2): its operations are the routes below this node.'),
  issuer: z.string().optional().describe('Whose tokens are accepted.'),
  issuers: z.array(z.string()).min(1).optional().describe('Several of them.'),
  audiences: z
    .array(z.string().min(1))
    .min(1)
    .optional()
    .describe('Narrows the accepted `aud` of the issuers.'),
  public: z.boolean().optional().describe('No token is asked for or looked at.'),
  scopes: scopes.optional().describe('Required scopes.'),
  token_types: z
    .array(z.string())
    .min(1)
    .optional()
    .describe('Allowed token types; the union over all levels.'),
  subject: section({
    param: z.string().min(1).describe('Path parameter that must equal the subject, as raw text.'),
    detail: z
      .string()
      .min(1)
      .max(256)
      .optional()
      .describe('What an error profile with `body: detail` says when it does not.'),
  })
    .optional()
    .describe('Binds the subject of the token to the path.'),
  claims: z
    .array(claimCheck)
    .min(1)
    .optional()
    .describe('What claims must be; of a list, one element. Those of outer levels too.'),
  certificate_bound: z
    .boolean()
    .optional()
    .describe(
      'Refuse tokens that are bound to no client certificate (RFC 8705). Default: as the issuer says.',
    ),
  access_hook: z
    .string()
    .optional()
    .describe('A service of `access_hooks` that is asked about requests that are permitted.'),
  exchange: exchange
    .optional()
    .describe('Give a new token for one of some types when the upstream’s answer is a success.'),
  upstream: z.string().optional().describe('Where requests go.'),
  respond: respond.optional().describe('Answer here instead of forwarding.'),
  oauth: oauthEndpoints.optional().describe('Serve endpoints for logins below this prefix.'),
  jwks: z.literal(true).optional().describe('Answer with the public keys of the signers (RFC 7517).'),
  ticket: ticket.optional().describe('Give out one-time tickets for opening a WebSocket.'),
  websocket: webSocket.optional().describe('Accept requests to become a WebSocket, and pass it through.'),
  end_at_expiry: z
    .boolean()
    .optional()
    .describe('End answers when their token expires or is withdrawn. Default: event streams only.'),
  credential: credential
    .optional()
    .describe('Send the access token of a stored login upstream, as the Authorization field.'),
  forward: forwarding.optional().describe('What the upstream gets besides the request.'),
  allow_in_path: z.array(pathAllowance).optional().describe('Odd path forms this route accepts; else 400.'),
  limits: limits.optional().describe('How much of the gateway the callers of this route may take.'),
  max_body_bytes: count(0, Number.MAX_SAFE_INTEGER)
    .optional()
    .describe('Largest request body; above it 413.'),
  json_body: z
    .boolean()
    .optional()
    .describe(
      'Refuse a body that is no JSON before the token is looked at; it is collected for that, 1 MiB at most unless max_body_bytes says so.',
    ),
  error_profile: labelName
    .optional()
    .describe('How refusals are told: a name of the section `error_profiles`.'),
  closed: z
    .boolean()
    .optional()
    .describe('A prefix that serves its listed routes only: the rest below it is 404.'),
};

type RouteFields = z.infer<ReturnType<typeof section<typeof routeShape>>>;
type RouteFieldsInput = z.input<ReturnType<typeof section<typeof routeShape>>>;

/** One node of the route tree: what it says itself; inheritance is resolved by `route/compile.ts`. */
export type RouteNode = RouteFields & {
  readonly routes?: readonly RouteNode[] | undefined;
  // Of imported operations; these cannot be written in the file.
  readonly anyOf?: readonly (readonly string[])[] | undefined;
  readonly unserved?: true | undefined;
};
type RouteNodeInput = RouteFieldsInput & { routes?: RouteNodeInput[] | undefined };

export const route: z.ZodType<RouteNode, RouteNodeInput> = z
  .lazy(() =>
    section({
      ...routeShape,
      routes: z.array(route).min(1).optional().describe('Routes below this one; they inherit from it.'),
    }),
  )
  .meta({ id: 'route' });
