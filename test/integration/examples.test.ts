/** Examples are there to be copied: each must be one that the program takes. */
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { built, root } from '../support/built.ts';

const folder = join(root, 'examples');
const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
  name.endsWith('.yaml'),
);

describe('examples', () => {
  it('are found', () => {
    expect(files).toContain(join('demo', 'sallyport.yaml'));
  });

  it.each(files)('%s passes `sallyport check`', (name) => {
    const { status, stderr } = spawnSync(
      process.execPath,
      [built('gateway/main.js'), 'check', join(folder, name)],
      {
        encoding: 'utf8',
      },
    );
    expect(stderr).toBe('');
    expect(status).toBe(0);
  });
});
