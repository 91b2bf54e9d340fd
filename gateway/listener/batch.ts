/** Answers a batch of questions: rules on each of them, and tells all answers at once, in their order. */
import { type Refusal, refusals } from '../core/errors.ts';
import { type BatchAnswer, batchBytesMax, type BatchQuestion, readBatch } from '../decision/batch.ts';
import type { DecisionMode, DecisionOutcome } from '../decision/mode.ts';
import type { DecisionMount } from '../decision/mounts.ts';
import type { Waiter } from '../token/pending.ts';
import type { Verifier } from '../token/verifier.ts';
import { collect } from '../upstream/body.ts';
import type { Arrival } from './arrival.ts';
import type { Conclude, Conclusion } from './conclusion.ts';
import type { UwsExchange } from './exchange.ts';
import type { HeadReader } from './head.ts';
import type { Responder } from './respond.ts';
import { askedOf, type Credentials, type Rule } from './ruling.ts';

export interface BatchParts {
  readonly head: HeadReader;
  readonly responder: Responder;
  readonly verifier: Verifier;
  readonly rule: Rule;
  readonly conclude: Conclude;
  readonly count: (mode: DecisionMode, outcome: DecisionOutcome) => void;
}

/** Called in the callback of the request, while its head can be read. */
export type AnswerBatch = (exchange: UwsExchange, mount: DecisionMount) => void;

export function createBatchHandler(parts: BatchParts): AnswerBatch {
  const { head, responder, verifier, rule, conclude } = parts;

  function onBatch(exchange: UwsExchange, mount: DecisionMount): void {
    const credentials = { authorization: head.authorization, count: head.authorizations };
    if (exchange.body === null) return refuse(exchange, mount);
    if ((exchange.body.length ?? 0) > batchBytesMax) return refuse(exchange, mount, refusals.body_too_large);
    collect(exchange.body, (bytes) => {
      const questions = readBatch(bytes.toString('utf8'));
      if (questions === null) refuse(exchange, mount);
      else answer(exchange, mount, questions, credentials);
    });
  }

  function refuse(
    exchange: UwsExchange,
    mount: DecisionMount,
    refusal: Refusal = refusals.decision_batch_invalid,
  ): void {
    parts.count(mount.mode, 'refused');
    exchange.refuse(refusal);
  }

  function answer(
    exchange: UwsExchange,
    mount: DecisionMount,
    questions: readonly BatchQuestion[],
    ofBatch: Credentials,
  ): void {
    const answers: BatchAnswer[] = [];
    const waiters: Waiter[] = [];
    let open = questions.length;
    const finishIfDone = (): void => {
      if (open > 0) return;
      const body = `${JSON.stringify({ decisions: answers })}\n`;
      const headers = ['Cache-Control', 'no-store', 'Content-Type', 'application/json'];
      exchange.respond({ status: 200, headers, body });
    };
    exchange.onGone(() => {
      for (const waiter of waiters) verifier.withdraw(waiter);
    });
    for (const [index, { method, path, token }] of questions.entries()) {
      const asked = askedOf(exchange.arrival, method, path);
      const credentials = token === null ? ofBatch : { authorization: `Bearer ${token}`, count: 1 };
      const waiter = rule(asked, credentials, null, (verdict) => {
        const conclusion = conclude(asked, mount, verdict, credentials.authorization, null);
        answers[index] = answerTo(conclusion, asked);
        open -= 1;
        finishIfDone();
      });
      if (waiter !== null) waiters.push(waiter);
    }
    if (questions.length === 0) finishIfDone();
  }

  function answerTo(conclusion: Conclusion, asked: Arrival): BatchAnswer {
    if (conclusion.refusal === null) {
      const headers: Record<string, string> = {};
      for (let i = 0; i < conclusion.fields.length; i += 2)
        headers[conclusion.fields[i]!] = conclusion.fields[i + 1]!;
      return {
        allowed: true,
        status: 200,
        route: conclusion.route.id,
        headers,
        max_age: conclusion.seconds,
      };
    }
    const { refusal, status } = conclusion;
    const { headers } = responder.told(conclusion, asked);
    const challenge = headers[0] === 'WWW-Authenticate' ? { challenge: headers[1]! } : {};
    return { allowed: false, status, code: refusal.code, title: refusal.title, ...challenge };
  }

  return onBatch;
}
