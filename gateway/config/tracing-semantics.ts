/** What the values of the section `tracing` mean together. */
import type { ProblemList } from '../route/problem.ts';
import type { Config } from './schema.ts';

export function checkTracing(
  { tracing }: Config,
  isExposed: (url: string, isAllowed: boolean) => boolean,
  problems: ProblemList,
): void {
  const { exporter, endpoint, allowHttp, headersFile, headersEnv, batchMax, queueMax } = tracing;
  if (isExposed(endpoint, allowHttp))
    problems.add(
      ['tracing', 'endpoint'],
      'what is sent by http:// can be read on the way; use https://, or say `allow_http: true`',
    );
  if (headersFile !== undefined && headersEnv !== undefined)
    problems.add(['tracing', 'headers_env'], 'the fields come from one place, and `headers_file` is given', {
      atKey: true,
    });
  for (const [key, value] of Object.entries({ headers_file: headersFile, headers_env: headersEnv })) {
    if (value !== undefined && exporter !== 'otlp')
      problems.add(['tracing', key], 'nothing is sent without `exporter: otlp`', { atKey: true });
  }
  if (queueMax < batchMax) problems.add(['tracing', 'queue_max'], `must be at least batch_max (${batchMax})`);
}
