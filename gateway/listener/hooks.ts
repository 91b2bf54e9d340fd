/** The access hooks of one configuration on this thread: their connections and what they answered. */
import { HookAnswers } from '../access-hook/answers.ts';
import type { Config } from '../config/schema.ts';
import { systemClock } from '../core/clock.ts';
import type { RepeatedWarnings } from '../log/repeats.ts';
import type { Recorder } from '../metrics/recorder.ts';
import { HookClient } from '../upstream/hook-client.ts';

export interface OpenHook {
  readonly answers: HookAnswers;
  readonly close: () => Promise<void>;
}

export function openHooks(
  hooks: Config['accessHooks'],
  recorder: Recorder,
  warnings: RepeatedWarnings,
): ReadonlyMap<string, OpenHook> {
  return new Map(
    Object.entries(hooks).map(([name, hook]) => {
      const client = new HookClient(hook);
      const answers = new HookAnswers({
        allowedMs: hook.allowedSeconds * 1000,
        deniedMs: hook.deniedSeconds * 1000,
        entriesMax: hook.cacheEntries,
        pendingMax: hook.pendingMax,
        clock: systemClock,
        call: (question, traceFields) => client.ask(question, traceFields),
        observe: (answer, origin) => {
          recorder.hookAnswered(answer, origin);
          if (answer === 'failed')
            warnings.warn(`hook ${name} ${origin}`, { hook: name, origin }, 'an access hook gave no answer');
        },
      });
      return [name, { answers, close: () => client.close() }];
    }),
  );
}
