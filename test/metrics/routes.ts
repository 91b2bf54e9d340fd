/** Routes for tests of metrics: only what labels and zeros look at. */
import { defaultErrorProfile } from '../../gateway/route/error-profile.ts';
import type { Access, Route } from '../../gateway/route/policy.ts';

const access: Access = {
  issuers: [true],
  audiences: [null],
  tokenTypes: [0],
  leewaySeconds: [10],
  certificateBound: [false],
  all: [0, 1],
  any: [],
  subjectDetail: null,
  subjectParam: -1,
  claims: [],
  challengeScope: 'orders:read',
};

export function route(index: number, id: string, fields: Partial<Route> = {}): Route {
  return {
    index,
    id,
    pattern: `/${id}`,
    methods: ['GET'],
    params: [],
    access,
    upstream: 'orders',
    respond: null,
    oauth: null,
    ticket: null,
    websocket: null,
    endAtExpiry: null,
    jwks: false,
    exchange: null,
    jsonBody: false,
    credential: null,
    hook: null,
    rate: null,
    forwarding: { claims: [], set: [], remove: [], authorization: false, host: 'upstream' },
    pathAllowance: 0,
    bodyBytesMax: 0,
    errors: defaultErrorProfile,
    origin: { at: ['routes', 0], from: {}, tokenTypes: {} },
    ...fields,
  };
}

export function routesNamed(...ids: string[]): Route[] {
  return ids.map((id, index) => route(index, id));
}
