/**
 * `node dist/test/soak/soak.js [--seconds 300] [--throw-every 20] [--terminate-every 15] [--out FILE]`
 *
 * Prints the result as JSON; exit code 1 if something did not hold. The results of whole runs are kept in `results/`.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { dirname } from 'node:path';
import { parseArgs } from 'node:util';
import { runSoak } from './run.ts';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '300' },
    'throw-every': { type: 'string', default: '20' },
    'terminate-every': { type: 'string', default: '15' },
    out: { type: 'string' },
  },
});

const result = await runSoak({
  seconds: Number(values.seconds),
  throwEverySeconds: Number(values['throw-every']),
  terminateEverySeconds: Number(values['terminate-every']),
});
const report = {
  version: 1,
  taken: new Date().toISOString(),
  node: process.version,
  cpu: `${cpus().length} x ${cpus()[0]?.model ?? 'unknown'}`,
  ...result,
};
const text = `${JSON.stringify(report, null, 2)}\n`;
process.stdout.write(text);
if (values.out !== undefined) {
  mkdirSync(dirname(values.out), { recursive: true });
  writeFileSync(values.out, text);
}
process.exitCode = result.violations.length === 0 ? 0 : 1;
