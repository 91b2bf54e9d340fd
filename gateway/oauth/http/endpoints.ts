/**
 * Everything that a route with `oauth` serves: one set of endpoints for each kind of mount. The listener hands over an
 * exchange that its policy let through; here it is read, judged as a request of a browser or a program, and answered.
 */
import { refusals } from '../../core/errors.ts';
import type { Exchange } from '../../core/exchange.ts';
import type { OauthMount } from '../../route/policy.ts';
import { PageMount } from '../page/page-mount.ts';
import { send } from './answer.ts';
import { Call } from './call.ts';
import { JsonMount } from './json-mount.ts';
import { OnboardingMount } from './onboarding-mount.ts';
import type { MountEndpoints, MountParts } from './mount-endpoints.ts';
import type { Identity } from './session.ts';

export interface EndpointsParts extends MountParts {
  /** An endpoint failed where it must not: for operators. */
  readonly failed: (error: unknown) => void;
}

export class Endpoints {
  readonly #mounts: Readonly<Record<OauthMount['kind'], MountEndpoints>>;
  readonly #failed: (error: unknown) => void;

  constructor({ failed, ...parts }: EndpointsParts) {
    this.#failed = failed;
    this.#mounts = {
      json: new JsonMount(parts),
      onboarding: new OnboardingMount(parts.broker),
      page: new PageMount(parts),
    };
  }

  /** Answers the request. `identity`: who the token of the request is about; null when none was asked for. */
  serve(mount: OauthMount, identity: Identity | null, exchange: Exchange): void {
    const endpoints = this.#mounts[mount.kind];
    const call = new Call(mount, identity, exchange);
    endpoints
      .answer(call)
      .catch((error: unknown) => {
        this.#failed(error);
        return endpoints.refusal(call, refusals.gateway_fault);
      })
      .then((answer) => {
        if (answer !== null) send(call, answer);
      })
      .catch((error: unknown) => {
        this.#failed(error);
        exchange.destroy();
      });
  }
}
