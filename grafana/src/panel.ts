/** A panel: what it asks and how it is drawn. */
import { PanelBuilder as StatBuilder } from '@grafana/grafana-foundation-sdk/stat';
import { PanelBuilder as TimeseriesBuilder } from '@grafana/grafana-foundation-sdk/timeseries';
import { DataqueryBuilder } from '@grafana/grafana-foundation-sdk/prometheus';
import {
  GraphDrawStyle,
  LegendDisplayMode,
  LegendPlacement,
  SortOrder,
  StackingConfigBuilder,
  StackingMode,
  TooltipDisplayMode,
  VizLegendOptionsBuilder,
  VizTooltipOptionsBuilder,
} from '@grafana/grafana-foundation-sdk/common';
import type { GridPos, Panel as GrafanaPanel } from '@grafana/grafana-foundation-sdk/dashboard';

export interface Query {
  readonly expr: string;
  /** `{{label}}` stands for the value of a label. */
  readonly legend: string;
}

export interface Panel {
  readonly title: string;
  readonly description: string;
  /** A unit id of Grafana, from the SDK's list. */
  readonly unit: string;
  readonly queries: readonly Query[];
  /** One number with its history; a graph otherwise. */
  readonly stat?: boolean;
  /** Areas on top of each other: for parts of a whole. */
  readonly stacked?: boolean;
  /** Top of the axis, where the values have one. */
  readonly max?: number;
}

/** The data source is a variable: an import's placeholder would stay unresolved under provisioning. */
export const datasource = { type: 'prometheus', uid: '${datasource}' } as const;

export function buildPanel(panel: Panel, id: number, place: GridPos): GrafanaPanel {
  const builder = panel.stat === true ? stat() : timeseries(panel);
  builder
    .id(id)
    .title(panel.title)
    .description(panel.description)
    .unit(panel.unit)
    .min(0)
    .datasource(datasource)
    .gridPos(place);
  panel.queries.forEach(({ expr, legend }, index) => {
    const refId = String.fromCharCode('A'.charCodeAt(0) + index);
    builder.withTarget(
      new DataqueryBuilder().datasource(datasource).refId(refId).expr(expr).legendFormat(legend).range(),
    );
  });
  if (panel.max !== undefined) builder.max(panel.max);
  return builder.build();
}

const stat = (): StatBuilder => new StatBuilder();

function timeseries(panel: Panel): TimeseriesBuilder {
  const builder = new TimeseriesBuilder()
    .drawStyle(GraphDrawStyle.Line)
    .fillOpacity(panel.stacked === true ? 30 : 5)
    .legend(
      new VizLegendOptionsBuilder()
        .displayMode(LegendDisplayMode.List)
        .placement(LegendPlacement.Bottom)
        .showLegend(true),
    )
    .tooltip(new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi).sort(SortOrder.Descending));
  if (panel.stacked === true) builder.stacking(new StackingConfigBuilder().mode(StackingMode.Normal));
  return builder;
}
