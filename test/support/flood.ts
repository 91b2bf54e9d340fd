/** A thread that writes bytes to a port as fast as the system takes them: faster than a test that also does other things could. */
import { connect } from 'node:net';
import { parentPort, Worker, workerData } from 'node:worker_threads';
import { built } from './built.ts';

interface FloodPlan {
  readonly port: number;
  readonly head: string;
  readonly piece: string;
}

const pieceBytes = 1_048_576;

/** Sends `head` once and `piece` without end, until the thread is terminated. Resolves when the flood has begun. */
export async function startFlood(port: number, head: string, piece: string): Promise<Worker> {
  const worker = new Worker(built('test/support/flood.js'), {
    workerData: { port, head, piece } satisfies FloodPlan,
  });
  await new Promise((resolve) => worker.once('message', resolve));
  return worker;
}

function flood({ port, head, piece }: FloodPlan): void {
  const bytes = Buffer.from(piece.repeat(Math.ceil(pieceBytes / piece.length)), 'latin1');
  const socket = connect(port, '127.0.0.1');
  const go = (): void => {
    while (!socket.destroyed && socket.write(bytes));
  };
  socket
    .on('drain', go)
    .on('error', () => {})
    .resume();
  socket.once('drain', () => parentPort!.postMessage('begun'));
  socket.write(head);
  go();
}

const plan = workerData as Partial<FloodPlan> | null;
if (plan?.piece !== undefined) flood(plan as FloodPlan);
