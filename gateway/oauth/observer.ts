/** What is heard of the broker, for metrics; `metrics/` implements it. Providers are names of the configuration. */
import type { FlowState } from './flow.ts';

export const providerSteps = [
  'discovery',
  'device_authorization',
  'device_token',
  'code_exchange',
  'refresh',
] as const;
export type ProviderStep = (typeof providerSteps)[number];

export const providerOutcomes = ['ok', 'pending', 'slow_down', 'refused', 'invalid', 'unreachable'] as const;
export type ProviderOutcome = (typeof providerOutcomes)[number];

export const refreshRoles = ['led', 'joined'] as const;
export type RefreshRole = (typeof refreshRoles)[number];

export const storeOperations = ['read', 'write', 'delete', 'list'] as const;
export type StoreOperation = (typeof storeOperations)[number];

export interface BrokerObserver {
  /** A start was answered with a flow: made by it, or joined. */
  flowStarted(provider: string): void;
  flowJoined(provider: string): void;
  /** A flow ended, as its leader saw it; `durationMs` since it was started. */
  flowEnded(provider: string, state: FlowState, durationMs: number): void;
  /** One request to the provider was answered or failed. */
  providerCalled(provider: string, step: ProviderStep, outcome: ProviderOutcome): void;
  refreshed(provider: string, role: RefreshRole, ok: boolean): void;
  storeFailed(operation: StoreOperation): void;
  /** Calls of this thread that wait for a flow or a refresh now. */
  waiting(delta: number): void;
}
