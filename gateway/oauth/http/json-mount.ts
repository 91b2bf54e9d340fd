/**
 * The endpoints for programs: start, poll, cancel, callback, list. Names as RFC 8628 section 3.2 and RFC 6749 section 5.2
 * have them.
 */
import { type Refusal, refusals } from '../../core/errors.ts';
import { isDenial } from '../../core/verdict.ts';
import type { BrokerApi } from '../broker.ts';
import type { Flow, FlowStep } from '../flow.ts';
import { type Answer, json, retryAfterOf } from './answer.ts';
import { readJson } from './body.ts';
import type { Call } from './call.ts';
import type { MountEndpoints, MountParts } from './mount-endpoints.ts';
import { awaitFlow, streamFlow } from './events.ts';
import { originOf } from './origin.ts';

const waitSecondsMax = 30;

export class JsonMount implements MountEndpoints {
  readonly #parts: MountParts;
  readonly #broker: BrokerApi;

  constructor(parts: MountParts) {
    this.#parts = parts;
    this.#broker = parts.broker;
  }

  async answer(call: Call): Promise<Answer | null> {
    const [first = '', flowId = '', verb = '', ...rest] = call.segments;
    if (rest.length > 0) return this.refusal(call, refusals.route_not_found);
    const depth = call.segments.length;
    if (first === 'start' && depth === 1) return this.#only(call, 'POST', () => this.#start(call));
    if (first === 'callback' && depth === 1) return this.#only(call, 'GET', () => this.#callback(call));
    if (first === 'flows' && depth === 1) return this.#only(call, 'GET', () => this.#list(call));
    if (first === 'flows' && depth === 2) return this.#only(call, 'GET', () => this.#poll(call, flowId));
    if (first === 'flows' && verb === 'cancel')
      return this.#only(call, 'POST', () => this.#cancel(call, flowId));
    return this.refusal(call, refusals.route_not_found);
  }

  /** RFC 6749 section 5.2: a code for programs, a sentence for people. */
  refusal(_: Call, refusal: Refusal): Answer {
    const { status, code, title } = refusal;
    return json(status, { error: code, error_description: title }, retryAfterOf(refusal));
  }

  async #only(
    call: Call,
    method: 'GET' | 'POST',
    answer: () => Promise<Answer | Refusal | null>,
  ): Promise<Answer | null> {
    if (call.method !== method) {
      const refused = this.refusal(call, refusals.method_not_allowed);
      const allow = method === 'GET' ? 'GET, HEAD' : 'POST';
      return { ...refused, headers: [...refused.headers, 'allow', allow] };
    }
    const verdict = method === 'POST' ? originOf(call) : 'same';
    if (verdict === 'cross-site' || verdict === 'mismatch')
      return this.refusal(call, refusals.oauth_cross_origin);
    const answered = await answer();
    return answered !== null && isDenial(answered) ? this.refusal(call, answered) : answered;
  }

  async #start(call: Call): Promise<Answer | Refusal> {
    const body = await readJson(call, { isOptional: false });
    if (isDenial(body)) return body;
    const provider = body.get('provider');
    if (typeof provider !== 'string') return refusals.oauth_request_invalid;
    const started = await this.#broker.start({ provider, account: call.account, owner: call.owner });
    if (isDenial(started)) return started;
    return json(200, { ...this.#shown(started.flow), role: started.role });
  }

  async #poll(call: Call, flowId: string): Promise<Answer | Refusal | null> {
    if (call.field('accept').includes('text/event-stream')) {
      return streamFlow(this.#parts, call, flowId, (flow) => this.#shown(flow));
    }
    const wait = call.query.get('wait') ?? '0';
    if (!/^\d{1,3}$/.test(wait)) return refusals.oauth_request_invalid;
    const waitMs = Math.min(Number(wait), waitSecondsMax) * 1000;
    const flow =
      waitMs === 0
        ? await this.#broker.poll(flowId, call.owner)
        : await awaitFlow(this.#parts, call, flowId, waitMs);
    return isDenial(flow) ? flow : json(200, this.#shown(flow));
  }

  async #cancel(call: Call, flowId: string): Promise<Answer | Refusal> {
    const body = await readJson(call, { isOptional: true });
    if (isDenial(body)) return body;
    const flow = await this.#broker.cancel(flowId, call.owner);
    return isDenial(flow) ? flow : json(200, this.#shown(flow));
  }

  async #callback(call: Call): Promise<Answer | Refusal> {
    const flow = await this.#broker.callback(call.query, call.owner);
    return isDenial(flow) ? flow : json(200, this.#shown(flow));
  }

  async #list(call: Call): Promise<Answer | Refusal> {
    const listed = await this.#broker.list(call.account, call.owner);
    if ('code' in listed) return listed;
    const logins = listed.map(({ provider, kind, credential, expiresAtMs, flow }) => ({
      provider,
      kind,
      credential,
      credential_expires_at: expiresAtMs === null ? null : Math.floor(expiresAtMs / 1000),
      flow: flow === null ? null : this.#shown(flow),
    }));
    return json(200, { logins });
  }

  #shown({ id, state, failure, details }: Flow): Readonly<Record<string, unknown>> {
    const flow = { flow_id: id, status: state, ...(failure === null ? {} : { error: failure }) };
    if (details === null) return flow;
    const { provider, account, step, expiresAtMs, intervalSeconds } = details;
    return {
      ...flow,
      provider,
      account,
      ...shownStep(step),
      expires_at: Math.floor(expiresAtMs / 1000),
      expires_in: Math.max(0, Math.floor((expiresAtMs - this.#parts.nowMs()) / 1000)),
      interval: intervalSeconds,
    };
  }
}

function shownStep(step: FlowStep): Readonly<Record<string, string>> {
  switch (step.kind) {
    case 'device': {
      const { userCode, verificationUri, verificationUriComplete: complete } = step;
      return {
        user_code: userCode,
        verification_uri: verificationUri,
        ...(complete === null ? {} : { verification_uri_complete: complete }),
      };
    }
    case 'code':
      return { authorization_uri: step.authorizationUri };
    case 'linked':
      return { instruction: step.instruction };
  }
}
