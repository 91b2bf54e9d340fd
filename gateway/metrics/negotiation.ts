/** Which format a scrape is answered in. */

export type Format = 'text' | 'openmetrics';

/**
 * OpenMetrics where `Accept` names it, in a version we write, no less wanted than the text format; else text. Prometheus names
 * both, with weights.
 *
 * Source: RFC 9110 section 12.5.1.
 */
export function formatFor(accept: string): Format {
  let open = 0;
  let text = 0;
  for (const range of accept.split(',')) {
    const [type = '', ...parameters] = range
      .toLowerCase()
      .split(';')
      .map((part) => part.trim());
    const value = (name: string): string | undefined =>
      parameters.find((parameter) => parameter.startsWith(`${name}=`))?.slice(name.length + 1);
    const weight = Number(value('q') ?? 1);
    const isKnown = ['1.0.0', '0.0.1', undefined].includes(value('version'));
    if (type === 'application/openmetrics-text' && isKnown) open = Math.max(open, weight);
    if (type === 'text/plain') text = Math.max(text, weight);
  }
  return open > 0 && open >= text ? 'openmetrics' : 'text';
}
