/**
 * The answers of one access hook: kept for a time, asked for once however many requests wait for the same one, and bounded in
 * every respect. No network and no permit here: a yes only lets the permit that there is already be used.
 */
import type { Clock } from '../core/clock.ts';

export const hookAnswers = ['allowed', 'denied', 'failed'] as const;
export type HookAnswer = (typeof hookAnswers)[number];

/** Where an answer came from: `joined` waited for a call under way, `full` was not asked for at all. */
export const hookOrigins = ['call', 'joined', 'cache', 'full'] as const;
export type HookOrigin = (typeof hookOrigins)[number];

export interface AnswersParts {
  /** How long a yes and a no are kept; a failure never is. */
  readonly allowedMs: number;
  readonly deniedMs: number;
  readonly entriesMax: number;
  readonly pendingMax: number;
  readonly clock: Pick<Clock, 'monotonicMs'>;
  /** Asks the hook. Never rejects, and has a deadline of its own. */
  readonly call: (question: string, traceFields: readonly string[]) => Promise<HookAnswer>;
  readonly observe: (answer: HookAnswer, origin: HookOrigin) => void;
}

type Settle = (answer: HookAnswer) => void;

/** Fields of the trace that the call is part of: name, value, name, value. */
type TraceFields = () => readonly string[];

const noTrace: TraceFields = () => [];

/** Longer questions are asked each time: what is kept is bounded in bytes too. */
const keptLengthMax = 4096;

export class HookAnswers {
  readonly #parts: AnswersParts;
  /** The oldest first. */
  readonly #kept = new Map<string, { readonly answer: HookAnswer; readonly untilMs: number }>();
  readonly #pending = new Map<string, Settle[]>();

  constructor(parts: AnswersParts) {
    this.#parts = parts;
  }

  /**
   * Settles once: at once from what is kept, or when the hook has answered. A call is part of the trace of the request that it
   * is made for; those that join it have no part in it.
   */
  ask(question: string, settle: Settle, traceFields = noTrace): void {
    const { clock, observe, pendingMax } = this.#parts;
    const kept = this.#kept.get(question);
    if (kept !== undefined && kept.untilMs > clock.monotonicMs()) {
      observe(kept.answer, 'cache');
      return settle(kept.answer);
    }
    const waiting = this.#pending.get(question);
    if (waiting !== undefined) {
      waiting.push((answer) => {
        observe(answer, 'joined');
        settle(answer);
      });
      return;
    }
    if (this.#pending.size >= pendingMax) {
      observe('failed', 'full');
      return settle('failed');
    }
    const first = (answer: HookAnswer): void => {
      observe(answer, 'call');
      settle(answer);
    };
    this.#pending.set(question, [first]);
    void this.#parts.call(question, traceFields()).then((answer) => this.#answered(question, answer));
  }

  #answered(question: string, answer: HookAnswer): void {
    const waiting = this.#pending.get(question) ?? [];
    this.#pending.delete(question);
    this.#keep(question, answer);
    for (const settle of waiting) settle(answer);
  }

  #keep(question: string, answer: HookAnswer): void {
    const { clock, allowedMs, deniedMs, entriesMax } = this.#parts;
    const forMs = { allowed: allowedMs, denied: deniedMs, failed: 0 }[answer];
    this.#kept.delete(question);
    if (forMs === 0 || entriesMax === 0 || question.length > keptLengthMax) return;
    if (this.#kept.size >= entriesMax) this.#kept.delete(this.#kept.keys().next().value!);
    this.#kept.set(question, { answer, untilMs: clock.monotonicMs() + forMs });
  }
}
