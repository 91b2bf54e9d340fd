/** What the gateway says of itself. */
import type { Gateway } from './gateway.ts';

/** The value of one series, written as `/metrics` has it: `name` or `name{label="value"}`. Errors: when there is none. */
export async function seriesOf({ adminUrl }: Gateway, series: string): Promise<number> {
  const text = await (await fetch(`${adminUrl}/metrics`)).text();
  const line = text.split('\n').find((each) => each.startsWith(`${series} `));
  if (line === undefined) throw new Error(`there is no ${series}`);
  return Number(line.slice(series.length));
}
