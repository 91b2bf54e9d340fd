/**
 * Answers proxies that ask for a decision and forward by themselves. What is asked is ruled on as if it had come here
 * (`ruling.ts`); hop-by-hop fields and the body of the asking request mean nothing and are left alone.
 */
import type { Clock } from '../core/clock.ts';
import { type Refusal, refusals } from '../core/errors.ts';
import { methodsOf } from '../core/methods.ts';
import { isDenial } from '../core/verdict.ts';
import { cacheFields, removalFields } from '../decision/answer.ts';
import { batchBytesMax } from '../decision/batch.ts';
import type { DecisionMode, DecisionOutcome } from '../decision/mode.ts';
import type { DecisionMount } from '../decision/mounts.ts';
import { readQuestion } from '../decision/question.ts';
import type { HttpResponse } from '../native/uws.ts';
import { defaultErrorProfile } from '../route/error-profile.ts';
import type { FixedResponse } from '../route/policy.ts';
import type { Verifier } from '../token/verifier.ts';
import type { Arrival } from './arrival.ts';
import { createBatchHandler } from './batch.ts';
import type { ReadCertificate } from './client-certificate.ts';
import { type Conclusion, createConclude } from './conclusion.ts';
import { UwsExchange } from './exchange.ts';
import type { ExpiryWatch } from './expiry-watch.ts';
import type { HeadReader } from './head.ts';
import { peerAddress } from './peers.ts';
import type { RequestObserver, RequestParts } from './request.ts';
import type { Responder } from './respond.ts';
import { askedOf, createRule } from './ruling.ts';
import type { SilenceWatch } from './silence-watch.ts';
import type { WebSockets } from './websockets.ts';

export interface QuestionParts {
  /** Holds the head of the request that asks. */
  readonly head: HeadReader;
  readonly targetBytesMax: number;
  readonly trustCertificateField: boolean;
  readonly readCertificate: ReadCertificate;
  readonly bodyWatch: SilenceWatch;
  readonly answerWatch: SilenceWatch;
  readonly expiryWatch: ExpiryWatch;
  readonly webSockets: WebSockets;
  readonly verifier: Verifier;
  readonly responder: Responder;
  readonly secure: boolean;
  readonly clock: Clock;
  readonly observer: RequestObserver;
  readonly count: (mode: DecisionMode, outcome: DecisionOutcome) => void;
}

/** The handler of requests to a mount. The configuration that the mount is of is that of the arrival. */
export function createQuestionHandler(parts: QuestionParts): RequestParts['answerQuestion'] {
  const { head, responder, verifier, observer } = parts;
  const rule = createRule(parts);
  const conclude = createConclude(parts);
  const answerBatch = createBatchHandler({ ...parts, rule, conclude });
  const finished = observer.finished.bind(observer);

  function onQuestion(response: HttpResponse, arrival: Arrival, mount: DecisionMount): void {
    const peer = peerAddress(response);
    if (!arrival.serving.decisions!.isPeer(peer))
      return refuse(response, arrival, mount, refusals.decision_peer_unknown);
    if (mount.mode === 'batch') {
      if (arrival.methodName !== 'POST') return refuse(response, arrival, mount, refusals.method_not_allowed);
      const bodyLength = head.chunked ? null : Math.max(0, head.contentLength);
      return answerBatch(suspend(response, arrival, peer, bodyLength), mount);
    }
    const question = readQuestion(mount, arrival);
    if (isDenial(question)) return refuse(response, arrival, mount, question);

    const asked = askedOf(arrival, question.method, question.target);
    const credentials = { authorization: head.authorization, count: head.authorizations };
    let conclusion: Conclusion | null = null;
    let exchange: UwsExchange | null = null;
    const waiter = rule(asked, credentials, question.clientAddress, (verdict) => {
      if (exchange?.gone === true) return;
      conclusion = conclude(asked, mount, verdict, credentials.authorization, question.upstream);
      exchange?.respond(answerTo(asked, mount, conclusion), conclusion.refusal);
    });
    if (waiter === null) {
      const { refusal } = conclusion!;
      return answerNow(response, asked, answerTo(asked, mount, conclusion!), refusal);
    }
    exchange = suspend(response, asked, peer, 0);
    exchange.onGone(() => verifier.withdraw(waiter));
  }

  function answerTo(asked: Arrival, mount: DecisionMount, conclusion: Conclusion): FixedResponse {
    if (conclusion.refusal !== null) {
      const allow = conclusion.status === 405 ? methodsOf(asked.serving.matcher.allowed(asked.path)) : '';
      return responder.told(conclusion, asked, allow);
    }
    const { fields, seconds } = conclusion;
    const removed = mount.mode === 'envoy' ? removalFields(asked.serving.decisions!.owned, fields) : [];
    // 200 is the one status that all of them take for a yes.
    return { status: 200, headers: [...fields, ...removed, ...cacheFields(mount.mode, seconds)], body: '' };
  }

  /** The question itself cannot be answered: told to whoever set up the proxy. */
  function refuse(response: HttpResponse, arrival: Arrival, { mode }: DecisionMount, refusal: Refusal): void {
    parts.count(mode, 'refused');
    const told = { refusal, status: refusal.status, profile: defaultErrorProfile };
    answerNow(response, arrival, responder.told(told, arrival), refusal);
  }

  function answerNow(
    response: HttpResponse,
    asked: Arrival,
    answer: FixedResponse,
    refusal: Refusal | null,
  ): void {
    responder.respondNow(response, answer, asked);
    finished(asked, answer.status, refusal, null);
  }

  function suspend(
    response: HttpResponse,
    arrival: Arrival,
    peer: string,
    bodyLength: number | null,
  ): UwsExchange {
    observer.suspended(arrival);
    return new UwsExchange(response, arrival, {
      responder,
      peerAddress: peer,
      peerTrusted: true,
      secure: parts.secure,
      bodyLength,
      bodyBytesMax: batchBytesMax,
      bodyWatch: parts.bodyWatch,
      answerWatch: parts.answerWatch,
      expiryWatch: parts.expiryWatch,
      webSockets: parts.webSockets,
      readCertificate: parts.readCertificate,
      finished,
    });
  }

  return onQuestion;
}
