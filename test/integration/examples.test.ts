/** Examples are there to be copied: each must be one that the program takes. */
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { root, sallyport } from '../support/built.ts';

const folder = join(root, 'examples');
const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
  name.endsWith('.yaml'),
);

describe('examples', () => {
  it('are found', () => {
    expect(files).toContain(join('demo', 'sallyport.yaml'));
  });

  it.each(files)('%s passes `sallyport check`, but for secrets that it cannot bring along', (name) => {
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [sallyport, 'check', join(folder, name), '--format', 'json'],
      { encoding: 'utf8' },
    );
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const { warnings } = JSON.parse(stdout) as { readonly warnings: readonly { readonly message: string }[] };
    const secrets = new Set(['the file cannot be read here', 'the environment variable is not set here']);
    expect(warnings.filter(({ message }) => !secrets.has(message))).toEqual([]);
  });
});
