/** All dashboards, and the text that is committed of each. */
import { buildDashboard, type Dashboard } from './dashboard.ts';
import { logins } from './logins.ts';
import { overview } from './overview.ts';
import { runtime } from './runtime.ts';
import { upstreams } from './upstreams.ts';
import { verification } from './verification.ts';

export const dashboards: readonly Dashboard[] = [overview, verification, logins, upstreams, runtime];

/** In `grafana/dashboards`. */
export function fileOf({ uid }: Dashboard): string {
  return `${uid}.json`;
}

export function textOf(dashboard: Dashboard): string {
  return `${JSON.stringify(buildDashboard(dashboard), null, 2)}\n`;
}
