/** Makes the providers of a configuration. */
import type { Clock } from '../core/clock.ts';
import type { OauthConfig, ProviderConfig } from '../config/schema.ts';
import type { OauthFetch, OauthFetchOptions } from '../upstream/oauth-fetch.ts';
import type { ProviderParts } from './authorization-server.ts';
import { loadClientAuth, type SecretSources } from './client-auth.ts';
import { beginCode } from './code-attempt.ts';
import { beginDevice } from './device-attempt.ts';
import { beginDevicePkce } from './device-pkce-attempt.ts';
import { LinkedProvider } from './linked-provider.ts';
import type { BrokerObserver } from './observer.ts';
import type { Provider } from './provider.ts';
import { type Begin, ServerProvider } from './server-provider.ts';

/** What all providers need of the world. */
export interface Surroundings extends SecretSources {
  readonly createFetch: (options: OauthFetchOptions) => OauthFetch;
  readonly clock: Clock;
  readonly observer: BrokerObserver;
}

export interface Providers {
  /** In the order of the configuration. */
  readonly names: readonly string[];
  /** By name or alias. */
  find(name: string): Provider | undefined;
}

export function createProviders(config: OauthConfig['providers'], surroundings: Surroundings): Providers {
  const providers = new Map<string, Provider>();
  for (const [name, provider] of Object.entries(config)) {
    const made = createProvider(name, provider, surroundings);
    for (const called of [name, ...provider.aliases]) providers.set(called, made);
  }
  return { names: Object.keys(config), find: (name) => providers.get(name) };
}

function createProvider(name: string, config: ProviderConfig, surroundings: Surroundings): Provider {
  const { createFetch, clock, observer, readFile } = surroundings;
  const nowMs = (): number => clock.nowMs();
  let clientAuth: ReturnType<ProviderParts['clientAuth']> | null = null;
  const parts: ProviderParts = {
    fetch: createFetch({ timeoutMs: config.timeoutMs, allowHttp: config.allowHttp }),
    nowMs,
    clientAuth: () => {
      if (clientAuth !== null) return clientAuth;
      const loading = loadClientAuth(config, surroundings);
      clientAuth = loading;
      // What could not be read is tried again, and so is put right without a restart.
      loading.catch(() => {
        clientAuth = null;
      });
      return loading;
    },
    called: (step, outcome) => observer.providerCalled(name, step, outcome),
  };
  return config.flow === 'linked'
    ? new LinkedProvider(name, config, config.linked!, { readFile, nowMs })
    : new ServerProvider(name, config, parts, beginnings[config.flow]);
}

const beginnings: Readonly<Record<Exclude<ProviderConfig['flow'], 'linked'>, Begin>> = {
  device: beginDevice,
  code: beginCode,
  device_pkce: beginDevicePkce,
};
