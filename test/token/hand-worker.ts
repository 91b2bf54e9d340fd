/** Verify workers that answer when a test says so, by the real judgement. */
import { verifyBatch } from '../../workers/verify.ts';
import type { VerifyReply, VerifyTask } from '../../workers/messages.ts';
import type { OpenWorker } from '../../gateway/token/worker.ts';
import { settle } from './hand-time.ts';

interface HeldTask {
  readonly task: VerifyTask;
  readonly resolve: (reply: VerifyReply) => void;
  readonly reject: (error: Error) => void;
}

export class HandWorker {
  readonly held: HeldTask[] = [];
  readonly tasks: VerifyTask[] = [];
  closed = false;
  onLost: () => void = () => {};

  /** Answers the first task that waits. */
  async answer(reply?: VerifyReply): Promise<void> {
    const { task, resolve } = this.held.shift()!;
    resolve(reply ?? verifyBatch({ ...task, profile: task.profile ?? this.#profileOf(task) }));
    await settle();
  }

  async die(): Promise<void> {
    for (const { reject } of this.held.splice(0)) reject(new Error('worker exited with code: 1'));
    await settle();
  }

  /** The real worker keeps the profile between tasks; these share one thread, so it is found in the tasks before. */
  #profileOf(task: VerifyTask): VerifyTask['profile'] {
    return this.tasks.findLast(({ profile }) => profile?.version === task.version)?.profile ?? null;
  }
}

/** Opens hand workers and remembers them. */
export function handWorkers(): { readonly workers: HandWorker[]; readonly open: OpenWorker } {
  const workers: HandWorker[] = [];
  const open: OpenWorker = (onLost) => {
    const worker = new HandWorker();
    worker.onLost = onLost;
    workers.push(worker);
    return {
      run: (task) =>
        new Promise((resolve, reject) => {
          worker.tasks.push(task);
          worker.held.push({ task, resolve, reject });
        }),
      close: () => {
        worker.closed = true;
        return Promise.resolve();
      },
    };
  };
  return { workers, open };
}
