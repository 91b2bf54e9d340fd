/**
 * A dashboard: rows of panels, laid out on Grafana's grid of 24 columns, with the variables that all of ours have.
 * In the first of Grafana's schemas: the SDK prefers the second, but every Grafana in use imports and provisions this one.
 */
import {
  type Dashboard as GrafanaDashboard,
  DashboardBuilder,
  DashboardCursorSync,
  DashboardLinkBuilder,
  DashboardLinkType,
  DatasourceVariableBuilder,
  QueryVariableBuilder,
  RowBuilder,
  VariableRefresh,
  VariableSort,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { buildPanel, datasource, type Panel } from './panel.ts';

export interface Row {
  readonly title: string;
  /** Panels of one line; they share its width evenly. */
  readonly lines: readonly (readonly Panel[])[];
}

export interface Dashboard {
  /** Stable: links and bookmarks name it. At most 40 characters. */
  readonly uid: string;
  readonly title: string;
  readonly description: string;
  readonly rows: readonly Row[];
}

const columns = 24;
const graphHeight = 8;
const statHeight = 4;
const tag = 'sallyport';

export function buildDashboard(dashboard: Dashboard): GrafanaDashboard {
  const builder = new DashboardBuilder(`Sallyport / ${dashboard.title}`)
    .uid(dashboard.uid)
    .description(dashboard.description)
    .tags([tag])
    .tooltip(DashboardCursorSync.Crosshair)
    .time({ from: 'now-1h', to: 'now' })
    .refresh('30s')
    .variables([
      new DatasourceVariableBuilder('datasource').label('Data source').type('prometheus'),
      choice('job', 'Job', 'label_values(sallyport_build_info, job)'),
      choice('instance', 'Instance', 'label_values(sallyport_build_info{job=~"$job"}, instance)'),
    ])
    .link(
      new DashboardLinkBuilder('Sallyport')
        .type(DashboardLinkType.Dashboards)
        .tags([tag])
        .asDropdown(true)
        .keepTime(true)
        .includeVars(true),
    );
  const built = builder.build();
  return { ...built, panels: layOut(dashboard.rows) };
}

function choice(name: string, label: string, query: string): QueryVariableBuilder {
  return new QueryVariableBuilder(name)
    .label(label)
    .datasource(datasource)
    .query(query)
    .refresh(VariableRefresh.OnTimeRangeChanged)
    .sort(VariableSort.AlphabeticalAsc)
    .multi(true)
    .includeAll(true)
    .current({ selected: true, text: 'All', value: '$__all' });
}

function layOut(rows: readonly Row[]): NonNullable<GrafanaDashboard['panels']> {
  const panels: NonNullable<GrafanaDashboard['panels']> = [];
  let y = 0;
  for (const { title, lines } of rows) {
    const id = panels.length + 1;
    panels.push(new RowBuilder(title).id(id).gridPos({ h: 1, w: columns, x: 0, y }).build());
    y += 1;
    for (const line of lines) {
      const width = columns / line.length;
      const height = line.every(({ stat }) => stat === true) ? statHeight : graphHeight;
      line.forEach((panel, index) => {
        const place = { h: height, w: width, x: index * width, y };
        panels.push(buildPanel(panel, panels.length + 1, place));
      });
      y += height;
    }
  }
  return panels;
}
