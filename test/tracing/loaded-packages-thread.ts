/** Loaded into every thread of the program under test: says at its end what the thread loaded of OpenTelemetry. */
import { appendFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { isMainThread } from 'node:worker_threads';

process.on('exit', () => {
  const loaded = Object.keys(createRequire(import.meta.url).cache).filter((file) =>
    file.includes('@opentelemetry'),
  );
  if (!isMainThread) appendFileSync(process.env['TEST_LOADED']!, `${loaded.length}\n`);
});
