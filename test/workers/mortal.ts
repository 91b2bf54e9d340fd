/** A verify worker that can be made to die or to hang by a token; otherwise the real one. Runs compiled, in a thread. */
import { verifyBatch as realBatch } from '../../workers/verify.ts';
import type { VerifyReply, VerifyTask } from '../../workers/messages.ts';

export function verifyBatch(task: VerifyTask): VerifyReply {
  const last = task.tokens.at(-1) ?? '';
  if (last.endsWith('.throw')) throw new Error('a worker that throws');
  if (last.endsWith('.exit')) process.exit(3);
  while (last.endsWith('.hang')) continue;
  return realBatch(task);
}
