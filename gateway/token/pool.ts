/**
 * The verify workers of one listener: who is free, what each is doing, and what happens when one dies or hangs.
 *
 * A worker that fails is closed and opened again, at once the first time, then with a growing pause. Its batches go back to
 * the verifier as failed: no verdict is guessed, and none can reach another token, because a batch and its reply belong to
 * one run of one worker.
 */
import type { Clock } from '../core/clock.ts';
import type { Outcome, VerifierProfile, VerifyReply } from '../../workers/messages.ts';
import type { Pending } from './pending.ts';
import { tasksPerWorker } from './worker.ts';
import type { OpenWorker, VerifyWorker } from './worker.ts';

/** A thread that has not answered its first task by then will not. */
const bootMsMax = 15_000;
const pauseMsMin = 100;
const pauseMsMax = 5000;
/** A worker that lived this long starts its pauses anew. */
const healthyMs = 30_000;

export interface PoolOwner {
  /** `outcomes[i]` belongs to `batch[i]`. */
  judged(batch: readonly Pending[], outcomes: readonly Outcome[], nanoseconds: number, version: number): void;
  failed(batch: readonly Pending[]): void;
  restarted(): void;
  /** There is room for another batch. */
  free(): void;
}

interface Task {
  readonly batch: readonly Pending[];
  readonly profile: VerifierProfile;
}

interface Seat {
  worker: VerifyWorker | null;
  /** Version that this thread was last sent. */
  version: number;
  booted: boolean;
  readonly tasks: Task[];
  openedMs: number;
  /** When the task in front began to be waited for. */
  frontMs: number;
  /** It was late at the last look. One late look may be our own thread's fault, two are the worker's. */
  late: boolean;
  pauseMs: number;
  reopenMs: number;
}

export class WorkerPool {
  readonly #open: OpenWorker;
  readonly #clock: Clock;
  readonly #owner: PoolOwner;
  readonly #hangMs: number;
  readonly #seats: Seat[];
  #profile: VerifierProfile;
  #closed = false;
  readonly #whenBooted: (() => void)[] = [];

  constructor(
    size: number,
    open: OpenWorker,
    profile: VerifierProfile,
    hangMs: number,
    clock: Clock,
    owner: PoolOwner,
  ) {
    this.#open = open;
    this.#clock = clock;
    this.#owner = owner;
    this.#hangMs = hangMs;
    this.#profile = profile;
    this.#seats = Array.from({ length: size }, () => ({
      worker: null,
      version: -1,
      booted: false,
      tasks: [],
      openedMs: 0,
      frontMs: 0,
      late: false,
      pauseMs: 0,
      reopenMs: 0,
    }));
  }

  /** For new workers; running ones are sent the profile of the next batch that they get. */
  set profile(profile: VerifierProfile) {
    this.#profile = profile;
  }

  /** How many more batches could be sent now. */
  get room(): number {
    let room = 0;
    for (const seat of this.#seats) {
      if (seat.booted) room += tasksPerWorker - seat.tasks.length;
    }
    return room;
  }

  /** Is there a worker that can be sent a batch, now or when it is through with others? */
  get isUp(): boolean {
    return this.#seats.some((seat) => seat.booted);
  }

  /** Batches in flight. */
  get tasks(): number {
    return this.#seats.reduce((sum, seat) => sum + seat.tasks.length, 0);
  }

  /** Starts the workers that are not there. Resolves when each has answered for the first time. */
  open(): Promise<void> {
    this.#startMissing();
    return new Promise((resolve) => {
      if (this.#allBooted()) resolve();
      else this.#whenBooted.push(resolve);
    });
  }

  /** Hands a batch to the least busy worker; there must be room. */
  send(batch: readonly Pending[], profile: VerifierProfile): void {
    let best: Seat | null = null;
    for (const seat of this.#seats) {
      if (seat.booted && (best === null || seat.tasks.length < best.tasks.length)) best = seat;
    }
    if (best === null || best.tasks.length >= tasksPerWorker) this.#owner.failed(batch);
    else this.#run(best, { batch, profile }, false);
  }

  /** Looks after the workers; to be called a few times within `hangMs`. */
  tick(): void {
    this.#startMissing();
    const nowMs = this.#clock.monotonicMs();
    for (const seat of this.#seats) {
      if (seat.worker === null) continue;
      const limitMs = seat.booted ? this.#hangMs : bootMsMax;
      const isLate = seat.tasks.length > 0 && nowMs - seat.frontMs > limitMs;
      if (isLate && seat.late) this.#lose(seat);
      else seat.late = isLate;
    }
  }

  /** True while a worker is being waited for: then `tick` must go on. */
  get needsTick(): boolean {
    return this.#seats.some((seat) => seat.worker === null || seat.tasks.length > 0);
  }

  async close(): Promise<void> {
    this.#closed = true;
    const workers = this.#seats.flatMap(({ worker }) => worker ?? []);
    for (const seat of this.#seats) {
      seat.worker = null;
      seat.booted = false;
      for (const task of seat.tasks.splice(0)) this.#owner.failed(task.batch);
    }
    await Promise.allSettled(workers.map((worker) => worker.close()));
  }

  #allBooted(): boolean {
    return this.#seats.every((seat) => seat.booted);
  }

  #startMissing(): void {
    const nowMs = this.#clock.monotonicMs();
    for (const seat of this.#seats) if (seat.worker === null && nowMs >= seat.reopenMs) this.#start(seat);
  }

  #start(seat: Seat): void {
    if (this.#closed) return;
    const nowMs = this.#clock.monotonicMs();
    const worker = this.#open(() => {
      if (seat.worker === worker) this.#lose(seat);
    });
    seat.worker = worker;
    seat.booted = false;
    seat.version = -1;
    seat.late = false;
    seat.openedMs = nowMs;
    // An empty batch starts the thread, loads its code and brings it the profile before a token needs it.
    this.#run(seat, { batch: [], profile: this.#profile }, false);
  }

  #run(seat: Seat, task: Task, attach: boolean): void {
    const { worker } = seat;
    if (worker === null) return;
    const { profile, batch } = task;
    const isKnown = seat.version === profile.version && !attach;
    seat.version = profile.version;
    if (seat.tasks.length === 0) seat.frontMs = this.#clock.monotonicMs();
    if (!attach) seat.tasks.push(task);
    worker
      .run({
        version: profile.version,
        profile: isKnown ? null : profile,
        tokens: batch.map(({ token }) => token),
      })
      .then(
        (reply) => {
          if (seat.worker === worker) this.#replied(seat, task, reply);
        },
        () => {
          if (seat.worker === worker) this.#lose(seat);
        },
      );
  }

  #replied(seat: Seat, task: Task, reply: VerifyReply): void {
    if (reply.kind === 'stale') {
      // Its thread was replaced behind our back. Once more, with everything it needs.
      this.#run(seat, task, true);
      return;
    }
    if (reply.outcomes.length !== task.batch.length) {
      this.#lose(seat);
      return;
    }
    const position = seat.tasks.indexOf(task);
    if (position !== -1) seat.tasks.splice(position, 1);
    seat.frontMs = this.#clock.monotonicMs();
    seat.late = false;
    if (!seat.booted) {
      seat.booted = true;
      if (this.#allBooted()) for (const resolve of this.#whenBooted.splice(0)) resolve();
    } else this.#owner.judged(task.batch, reply.outcomes, reply.nanoseconds, task.profile.version);
    this.#owner.free();
  }

  #lose(seat: Seat): void {
    const { worker } = seat;
    if (worker === null || this.#closed) return;
    const nowMs = this.#clock.monotonicMs();
    const wasHealthy = nowMs - seat.openedMs >= healthyMs || (seat.booted && seat.pauseMs === 0);
    seat.pauseMs = wasHealthy ? pauseMsMin : Math.min(pauseMsMax, Math.max(pauseMsMin, 2 * seat.pauseMs));
    seat.reopenMs = wasHealthy ? nowMs : nowMs + seat.pauseMs;
    seat.worker = null;
    seat.booted = false;
    const lost = seat.tasks.splice(0);
    // It may take a while to stop: nothing waits for it, and what it still says is not heard.
    worker.close().catch(() => {});
    this.#owner.restarted();
    for (const task of lost) this.#owner.failed(task.batch);
    if (wasHealthy) this.#start(seat);
  }
}
