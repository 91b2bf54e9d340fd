/** What is compared: a configuration, a route of it, and what that asks of tokens. */
import type { Config } from '../config/schema.ts';
import type { Access, Policy, Route } from '../route/policy.ts';

/** A configuration and what was compiled of it. */
export interface Side {
  readonly config: Config;
  readonly policy: Policy;
}

export interface RouteSide extends Side {
  readonly route: Route;
}

export interface ProtectedSide extends RouteSide {
  readonly access: Access;
}
