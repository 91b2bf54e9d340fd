import { expect, test } from 'vitest';
import { base, problemsIn } from './example.ts';

test.each<[string, string[]]>([
  ['{ exporter: otlp }', []],
  ['{ exporter: none, sample: 0.5 }', []],
  ['{ exporter: otlp, endpoint: "https://collector.example/v1/traces", headers_env: KEY }', []],
  [
    '{ exporter: otlp, endpoint: "http://collector.example:4318/v1/traces" }',
    ['.endpoint: what is sent by http:// can be read on the way; use https://, or say `allow_http: true`'],
  ],
  ['{ exporter: otlp, endpoint: "http://collector.example:4318/v1/traces", allow_http: true }', []],
  [
    '{ exporter: otlp, headers_file: a, headers_env: B }',
    ['.headers_env: the fields come from one place, and `headers_file` is given'],
  ],
  ['{ headers_env: B }', ['.headers_env: nothing is sent without `exporter: otlp`']],
  ['{ queue_max: 10, batch_max: 11 }', ['.queue_max: must be at least batch_max (11)']],
])('tracing %s', (text, problems) => {
  const found = problemsIn(`version: 1${base}tracing: ${text}\n`);
  expect(found.map((line) => line.replace(/^gw\.yaml:\d+:\d+: tracing/, ''))).toEqual(problems);
});
