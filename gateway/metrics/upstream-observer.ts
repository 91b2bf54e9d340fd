/** Upstream calls of one upstream, written to the cells of the thread that makes them. */
import type { UpstreamObserver } from '../upstream/observer.ts';
import type { Recorder } from './recorder.ts';

/** `upstream` is the ordinal of its name in `LabelIndex`. */
export function observeUpstream(recorder: Recorder, upstream: number): UpstreamObserver {
  return {
    answered: (_status, durationMs) => recorder.upstreamAnswered(upstream, durationMs),
    failed: (failure) => recorder.upstreamFailed(upstream, failure),
    retried: () => recorder.upstreamRetried(upstream),
    abandoned: () => recorder.upstreamAbandoned(upstream),
  };
}
