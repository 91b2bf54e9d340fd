/** What becomes of calls to one upstream: metric cells, and a warning that does not repeat itself. */
import type { RepeatedWarnings } from '../log/repeats.ts';
import type { Recorder } from '../metrics/recorder.ts';
import { observeUpstream } from '../metrics/upstream-observer.ts';
import type { UpstreamObserver } from '../upstream/observer.ts';

export function recordUpstream(
  upstream: string,
  ordinal: number,
  recorder: Recorder,
  warnings: RepeatedWarnings,
): UpstreamObserver {
  const counted = observeUpstream(recorder, ordinal);
  return {
    ...counted,
    failed(failure) {
      counted.failed(failure);
      warnings.warn(`${upstream} ${failure}`, { upstream, failure }, 'a call to an upstream failed');
    },
  };
}
