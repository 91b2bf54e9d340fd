/** What the section `decision` means together with the rest. */
import { mountsOf, unmatchedOf } from '../decision/mounts.ts';
import type { ProblemList } from '../route/problem.ts';
import type { Config } from './schema.ts';

export function checkDecision({ decision, listener }: Config, problems: ProblemList): void {
  if (decision === undefined) return;
  if (decision.peers === undefined && listener.trustedProxies.length === 0) {
    problems.add(['decision'], 'who may ask? Give `peers`, or `listener.trusted_proxies`', { atKey: true });
  }
  const mounts = mountsOf(decision);
  for (const [index, mount] of mounts.entries()) {
    const at = ['decision', 'mounts', index];
    const source = decision.mounts[index]!;
    if (mount.mode === 'nginx' && unmatchedOf(source) === 404) {
      problems.add([...at, 'unmatched'], 'nginx takes 401 and 403 for a denial, and a 404 for a failure');
    }
    if (mount.mode === 'batch' && source.unmatched !== undefined) {
      problems.add([...at, 'unmatched'], 'a batch tells each answer as it is', { atKey: true });
    }
    const other = mounts.findIndex(({ mode, path }, place) => {
      if (path === mount.path) return place < index;
      return mode === 'envoy' && mount.path.startsWith(`${path}/`);
    });
    if (other !== -1) {
      const place = source.path === undefined ? at : [...at, 'path'];
      problems.add(place, `${mount.path} belongs to decision.mounts[${other}] already`);
    }
  }
}
