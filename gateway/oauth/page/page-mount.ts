/**
 * The login page: forms and pages that work without scripts, and one event stream for those that have them. Every change
 * is a POST with the token of the session, answered by See Other.
 */
import { type Refusal, refusals } from '../../core/errors.ts';
import type { RawHeaders } from '../../core/exchange.ts';
import { isDenial } from '../../core/verdict.ts';
import { pageFields } from '../../page/policy.ts';
import type { BrokerApi } from '../broker.ts';
import { type Answer, retryAfterOf, seeOther } from '../http/answer.ts';
import { readForm } from '../http/body.ts';
import type { Call } from '../http/call.ts';
import type { MountEndpoints, MountParts } from '../http/mount-endpoints.ts';
import { streamFlow } from '../http/events.ts';
import { originOf } from '../http/origin.ts';
import { isFormToken } from '../http/session.ts';
import { assetAnswer } from './assets.ts';
import { flowView } from './flow-view.ts';
import { problemView } from './problem-view.ts';
import { providerList } from './provider-list.ts';

const pageHeaders: RawHeaders = Object.entries(pageFields).flat();

function page(status: number, body: string): Answer {
  return { status, headers: pageHeaders, body };
}

export class PageMount implements MountEndpoints {
  readonly #parts: MountParts;
  readonly #broker: BrokerApi;

  constructor(parts: MountParts) {
    this.#parts = parts;
    this.#broker = parts.broker;
  }

  async answer(call: Call): Promise<Answer | null> {
    const answered = call.method === 'POST' ? await this.#change(call) : await this.#show(call);
    return answered !== null && isDenial(answered) ? this.refusal(call, answered) : answered;
  }

  refusal(call: Call, refusal: Refusal): Answer {
    const { status, headers, body } = page(refusal.status, problemView(call, refusal));
    return { status, headers: [...headers, ...retryAfterOf(refusal)], body };
  }

  async #show(call: Call): Promise<Answer | Refusal | null> {
    if (call.method !== 'GET') return refusals.method_not_allowed;
    const [first = '', flowId = '', verb = ''] = call.segments;
    switch (call.segments.length) {
      case 0:
        return this.#list(call);
      case 1:
        if (first === 'callback') return this.#callback(call);
        return assetAnswer(first, call.field('if-none-match')) ?? refusals.route_not_found;
      case 2:
        return first === 'flows' ? this.#flow(call, flowId) : refusals.route_not_found;
      case 3:
        return first === 'flows' && verb === 'events'
          ? streamFlow(this.#parts, call, flowId, ({ state }) => ({ status: state }))
          : refusals.route_not_found;
      default:
        return refusals.route_not_found;
    }
  }

  async #change(call: Call): Promise<Answer | Refusal> {
    const [first = '', flowId = '', verb = ''] = call.segments;
    const isStart = first === 'start' && call.segments.length === 1;
    const isCancel = first === 'flows' && verb === 'cancel' && call.segments.length === 3;
    if (!isStart && !isCancel) return refusals.route_not_found;
    const form = await readForm(call);
    if (isDenial(form)) return form;
    const refusal = this.#judgeOrigin(call, form.get('token') ?? '');
    if (refusal !== null) return refusal;
    return isStart ? this.#start(call, form.get('provider') ?? '') : this.#cancel(call, flowId);
  }

  /**
   * A browser that says that it is our page is believed; one that cannot say so shows the token of its session. What it
   * says of the origin is not asked: our pages send no referrer, and so `null`.
   */
  #judgeOrigin(call: Call, token: string): Refusal | null {
    if (call.field('sec-fetch-site') !== '')
      return originOf(call) === 'same' ? null : refusals.oauth_cross_origin;
    return isFormToken(call.session, token) ? null : refusals.oauth_session_changed;
  }

  async #list(call: Call): Promise<Answer | Refusal> {
    const listed = await this.#broker.list(call.account, call.owner);
    return 'code' in listed ? listed : page(200, providerList(call, listed));
  }

  async #start(call: Call, provider: string): Promise<Answer | Refusal> {
    const started = await this.#broker.start({ provider, account: call.account, owner: call.owner });
    if (isDenial(started)) return started;
    const joined = started.role === 'joiner' ? '?joined' : '';
    return seeOther(`${call.mount.base}/flows/${started.flow.id}${joined}`);
  }

  async #flow(call: Call, flowId: string): Promise<Answer | Refusal> {
    const flow = await this.#broker.poll(flowId, call.owner);
    if (isDenial(flow)) return flow;
    return page(
      200,
      flowView(call, { flow, isJoined: call.query.has('joined'), nowMs: this.#parts.nowMs() }),
    );
  }

  async #cancel(call: Call, flowId: string): Promise<Answer | Refusal> {
    const flow = await this.#broker.cancel(flowId, call.owner);
    return isDenial(flow) ? flow : seeOther(`${call.mount.base}/flows/${flow.id}`);
  }

  /** Leaves the address with the code at once: it is neither shown nor kept in the history. */
  async #callback(call: Call): Promise<Answer | Refusal> {
    const flow = await this.#broker.callback(call.query, call.owner);
    return isDenial(flow) ? flow : seeOther(`${call.mount.base}/flows/${flow.id}`);
  }
}
