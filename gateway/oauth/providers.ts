/** Makes the providers of a configuration. */
import type { Clock } from '../core/clock.ts';
import type { OauthConfig, ProviderConfig } from '../config/schema.ts';
import type { OauthFetch, OauthFetchOptions } from '../upstream/oauth-fetch.ts';
import type { ProviderParts } from './authorization-server.ts';
import { loadClientAuth, type SecretSources } from './client-auth.ts';
import { CodeProvider } from './code-provider.ts';
import { DevicePkceProvider } from './device-pkce-provider.ts';
import { DeviceProvider } from './device-provider.ts';
import { LinkedProvider } from './linked-provider.ts';
import type { BrokerObserver } from './observer.ts';
import type { Provider } from './provider.ts';

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
  switch (config.flow) {
    case 'device':
      return new DeviceProvider(name, config, parts);
    case 'code':
      return new CodeProvider(name, config, parts);
    case 'device_pkce':
      return new DevicePkceProvider(name, config, parts);
    case 'linked':
      return new LinkedProvider(name, config, config.linked!, { readFile, nowMs });
  }
}
