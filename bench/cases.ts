/** Every case, in the order in which they run. */
import type { BenchCase } from './case.ts';
import { connectionChurn } from './cases/connection-churn.ts';
import { decisionAlgorithms } from './cases/decision-algorithms.ts';
import { decisionMix } from './cases/decision-mix.ts';
import { decisionRepeated } from './cases/decision-repeated.ts';
import { decisionUnseen } from './cases/decision-unseen.ts';
import { decisionWrk } from './cases/decision-wrk.ts';
import { flightBurst } from './cases/flight-burst.ts';
import { forgedFlood } from './cases/forged-flood.ts';
import { growthRoutes, growthScopes } from './cases/growth-policy.ts';
import { growthTokens } from './cases/growth-tokens.ts';
import { idleConnections } from './cases/idle-connections.ts';
import { listenerThreads } from './cases/listener-threads.ts';
import { metricsCost } from './cases/metrics-cost.ts';
import { proxiedCases } from './cases/proxied.ts';
import { reload } from './cases/reload.ts';
import { scrape } from './cases/scrape.ts';
import { simSpeed } from './cases/sim-speed.ts';
import { startUp } from './cases/start-up.ts';

export const cases: readonly BenchCase[] = [
  decisionRepeated,
  decisionWrk,
  decisionUnseen,
  decisionAlgorithms,
  decisionMix,
  listenerThreads,
  forgedFlood,
  ...proxiedCases,
  connectionChurn,
  idleConnections,
  growthRoutes,
  growthScopes,
  growthTokens,
  reload,
  startUp,
  flightBurst,
  metricsCost,
  scrape,
  simSpeed,
];

/** Those of the names, or all without one. Errors: says which there are, when a name is none of them. */
export function casesNamed(names: readonly string[]): readonly BenchCase[] {
  const unknown = names.filter((name) => !cases.some((known) => known.name === name));
  if (unknown.length > 0)
    throw new UnknownCaseError(
      `no case ${unknown.join(', ')}; there are ${cases.map(({ name }) => name).join(', ')}`,
    );
  return names.length === 0 ? cases : cases.filter(({ name }) => names.includes(name));
}

export class UnknownCaseError extends Error {
  override readonly name = 'UnknownCaseError';
}
