import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../gateway/config/load.ts';
import { base } from './example.ts';

function problems(decision: string, listener = ''): string[] {
  const loaded = parseConfig(`version: 1\n${listener}${decision}${base}`, 'a.yaml', {});
  return loaded.ok ? [] : loaded.problems.map(({ path, message }) => `${path}: ${message}`);
}

describe('the section `decision`', () => {
  it('takes its peers from the trusted proxies where it names none', () => {
    const decision = 'decision: { mounts: [{ mode: nginx }] }\n';
    expect(problems(decision, 'listener: { trusted_proxies: [10.0.0.0/8] }\n')).toEqual([]);
    expect(problems(decision)).toEqual([
      'decision: who may ask? Give `peers`, or `listener.trusted_proxies`',
    ]);
  });

  it.each<[string, string]>([
    ['[{ mode: nginx, unmatched: 404 }]', 'nginx takes 401 and 403 for a denial'],
    ['[{ mode: batch, unmatched: 404 }]', 'a batch tells each answer as it is'],
    ['[{ mode: caddy, unmatched: 500 }]', 'decision.mounts[0].unmatched'],
    ['[{ mode: apache }]', 'decision.mounts[0].mode'],
    ['[{ mode: caddy, path: /a/ }]', 'must be a plain path without a slash at its end'],
    ['[{ mode: caddy, path: /a/../b }]', 'must be a plain path'],
    ['[{ mode: caddy }, { mode: caddy }]', '/-/decide/caddy belongs to decision.mounts[0] already'],
    ['[{ mode: caddy, path: /x }, { mode: nginx, path: /x }]', '/x belongs to decision.mounts[0] already'],
    [
      '[{ mode: caddy, path: /x/y }, { mode: envoy, path: /x }]',
      '/x/y belongs to decision.mounts[1] already',
    ],
    ['[]', 'decision.mounts'],
  ])('refuses %s', (mounts, problem) => {
    const found = problems(`decision: { peers: [127.0.0.1], mounts: ${mounts} }\n`);
    expect(found.join('\n')).toContain(problem);
    expect(found).toHaveLength(1);
  });

  it('takes two mounts of one mode with paths of their own', () => {
    const mounts =
      '[{ mode: caddy }, { mode: caddy, path: /strict, unmatched: 403 }, { mode: envoy, path: /x }]';
    expect(problems(`decision: { peers: ["::1"], mounts: ${mounts} }\n`)).toEqual([]);
  });
});
