// `npm run sim`: everything, or the named scenarios. The other commands are `sallyport sim ...` (gateway/cli/sim.ts).

import { parseArgs } from 'node:util';
import { defaultRunOptions, runScenarios } from './cli.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    scheduler: { type: 'string', default: defaultRunOptions.scheduler },
    seed: { type: 'string', default: String(defaultRunOptions.seed) },
    json: { type: 'boolean', default: false },
    html: { type: 'string', default: defaultRunOptions.html },
  },
});

process.exitCode = await runScenarios(
  positionals,
  { ...defaultRunOptions, ...values, seed: Number(values.seed) },
  {
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    interactive: process.stderr.isTTY,
  },
);
