/** The dashboards as they are committed, read as plain data: what a Grafana would get. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../support/built.ts';

export interface Target {
  readonly expr: string;
  readonly refId: string;
  readonly legendFormat: string;
  readonly datasource: { readonly type: string; readonly uid: string };
}

export interface PanelJson {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly datasource?: { readonly type: string; readonly uid: string };
  readonly gridPos: { readonly h: number; readonly w: number; readonly x: number; readonly y: number };
  readonly fieldConfig?: {
    readonly defaults: {
      readonly unit?: string;
      readonly custom?: { readonly stacking?: { readonly mode: string } };
    };
  };
  readonly targets?: readonly Target[];
}

export interface DashboardJson {
  readonly uid: string;
  readonly title: string;
  readonly description: string;
  readonly panels: readonly PanelJson[];
  readonly templating: {
    readonly list: readonly {
      readonly name: string;
      readonly type: string;
      readonly datasource?: { uid: string };
    }[];
  };
}

export const dashboardFolder = join(root, 'grafana/dashboards');

export const committed: readonly { readonly file: string; readonly dashboard: DashboardJson }[] = readdirSync(
  dashboardFolder,
).map((file) => ({
  file,
  dashboard: JSON.parse(readFileSync(join(dashboardFolder, file), 'utf8')) as DashboardJson,
}));

/** Panels with queries: rows have none. */
export const panels: readonly { readonly where: string; readonly panel: PanelJson }[] = committed.flatMap(
  ({ dashboard }) =>
    dashboard.panels
      .filter(({ type }) => type !== 'row')
      .map((panel) => ({ where: `${dashboard.uid} / ${panel.title}`, panel })),
);

export const queries: readonly { readonly where: string; readonly expr: string }[] = panels.flatMap(
  ({ where, panel }) => panel.targets!.map(({ expr, refId }) => ({ where: `${where} / ${refId}`, expr })),
);
