/**
 * The compatibility mount: paths, bodies, statuses and texts of the onboarding endpoints of hermes-webui, so that its
 * clients can be served unchanged. `start`, `poll` and `cancel` below the mount, which is put at `/api/onboarding/oauth`.
 *
 * It differs where the original is unsafe: a flow belongs to who started it, and no error carries what a provider said.
 */
import { type Refusal, refusals } from '../../core/errors.ts';
import { isDenial } from '../../core/verdict.ts';
import type { BrokerApi } from '../broker.ts';
import type { Flow, FlowDetails, FlowFailure } from '../flow.ts';
import { type Answer, json, retryAfterOf } from './answer.ts';
import { type Fields, readJson } from './body.ts';
import type { Call } from './call.ts';
import type { MountEndpoints } from './mount-endpoints.ts';
import { isLocal } from './local-network.ts';
import { originOf } from './origin.ts';

const texts = {
  providerMissing: 'provider is required',
  providerUnsupported:
    'Only OpenAI Codex and Anthropic/Claude OAuth are supported in WebUI onboarding right now',
  flowMissing: 'flow_id is required',
  // The inner quotes are the original's.
  flowUnknown: "'OAuth flow not found'",
  gate:
    'Onboarding OAuth is only available from local networks when auth is not enabled. To bypass this on a remote server, ' +
    'set HERMES_WEBUI_ONBOARDING_OPEN=1.',
  crossOrigin: 'Cross-origin request rejected',
  mismatch: 'Cross-origin mismatch - check reverse proxy headers',
  fieldsMissing: 'Device code response missing required fields',
  linkFailed: 'Claude Code credential linking failed. Check server logs.',
} as const;

/** What the original takes a provider for that it is not told. */
const defaultProvider = 'openai-codex';

const failed = (status: number, error: string, refusal?: Refusal): Answer =>
  json(status, { error }, refusal === undefined ? [] : retryAfterOf(refusal));

export class OnboardingMount implements MountEndpoints {
  readonly #broker: BrokerApi;

  constructor(broker: BrokerApi) {
    this.#broker = broker;
  }

  async answer(call: Call): Promise<Answer> {
    const [verb = '', ...rest] = call.segments;
    if (rest.length > 0) return this.refusal(call, refusals.route_not_found);
    switch (verb) {
      case 'start':
        return this.#post(call, (body) => this.#start(call, body));
      case 'cancel':
        return this.#post(call, (body) => this.#cancel(call, body));
      case 'poll':
        return call.method === 'GET' ? this.#poll(call) : this.#wrongMethod(call, 'GET, HEAD');
      default:
        return this.refusal(call, refusals.route_not_found);
    }
  }

  refusal(_: Call, refusal: Refusal): Answer {
    return failed(refusal.status, refusal.title, refusal);
  }

  async #post(call: Call, answer: (body: Fields) => Promise<Answer>): Promise<Answer> {
    if (call.method !== 'POST') return this.#wrongMethod(call, 'POST');
    const verdict = originOf(call);
    if (verdict === 'cross-site') return failed(403, texts.crossOrigin);
    if (verdict === 'mismatch') return failed(403, texts.mismatch);
    const body = await readJson(call, { isOptional: true });
    return isDenial(body) ? this.refusal(call, body) : answer(body);
  }

  #wrongMethod(call: Call, allow: string): Answer {
    const refused = this.refusal(call, refusals.method_not_allowed);
    return { ...refused, headers: [...refused.headers, 'allow', allow] };
  }

  async #start(call: Call, body: Fields): Promise<Answer> {
    // The original does not look at the provider before it has looked at the caller.
    if (call.identity === null && !call.mount.open && !isLocal(call)) return failed(403, texts.gate);
    const asked = providerIn(body);
    if (asked === '') return failed(400, texts.providerMissing);
    const provider = this.#broker.providerName(asked);
    if (provider === null) return failed(400, texts.providerUnsupported);
    const started = await this.#broker.start({ provider, account: call.account, owner: call.owner });
    if (isDenial(started)) return startFailed(started);
    const { flow } = started;
    return json(200, {
      ...this.#shown(flow, provider),
      ...(flow.details === null ? {} : stepOf(flow, flow.details)),
    });
  }

  async #poll(call: Call): Promise<Answer> {
    const flowId = call.query.get('flow_id') ?? '';
    if (flowId === '') return failed(400, texts.flowMissing);
    const flow = await this.#broker.poll(flowId, call.owner);
    if (isDenial(flow)) return failed(404, texts.flowUnknown);
    return json(200, this.#shown(flow, defaultProvider));
  }

  /** A flow that is not there is cancelled as well as can be: the original says so. */
  async #cancel(call: Call, body: Fields): Promise<Answer> {
    const flowId = textIn(body, 'flow_id');
    if (flowId === '') return failed(400, texts.flowMissing);
    const asked = providerIn(body) || defaultProvider;
    const provider = this.#broker.providerName(asked) ?? asked;
    const flow = await this.#broker.cancel(flowId, call.owner);
    if (isDenial(flow)) return json(200, { ok: true, provider, flow_id: flowId, status: 'cancelled' });
    return json(200, this.#shown(flow, provider));
  }

  /** `fallback`: the provider of a flow of which nothing but its end is kept any more. */
  #shown({ id, state, failure, details }: Flow, fallback: string): Readonly<Record<string, unknown>> {
    const shown = { ok: true, provider: details?.provider ?? fallback, flow_id: id, status: state };
    if (failure === null) return shown;
    return { ...shown, error: details?.step.kind === 'linked' ? texts.linkFailed : failureTexts[failure] };
  }
}

const providerIn = (body: Fields): string => textIn(body, 'provider').toLowerCase();

function textIn(body: Fields, name: string): string {
  const value = body.get(name);
  return typeof value === 'string' ? value.trim() : '';
}

function stepOf({ state }: Flow, { step, expiresAtMs, intervalSeconds }: FlowDetails): object {
  const interval = { poll_interval_seconds: intervalSeconds };
  const expiry = { expires_at: expiresAtMs / 1000 };
  switch (step.kind) {
    case 'device':
      return { ...interval, ...expiry, verification_uri: step.verificationUri, user_code: step.userCode };
    case 'linked':
      return state === 'pending' ? { ...interval, ...expiry, action_required: step.instruction } : interval;
    case 'code':
      return { ...interval, ...expiry, authorization_uri: step.authorizationUri };
  }
}

/** The original answers 500 to whatever went wrong at the provider; for what it does not know the catalogue decides. */
const startFaults: ReadonlySet<string> = new Set([
  'oauth_provider_unreachable',
  'oauth_provider_refused',
  'oauth_provider_timeout',
  'oauth_interrupted',
]);

function startFailed(refusal: Refusal): Answer {
  const { code, status, title } = refusal;
  if (code === 'oauth_provider_invalid') return failed(500, texts.fieldsMissing, refusal);
  if (startFaults.has(code)) return failed(500, `Failed to start Codex OAuth: ${title}`, refusal);
  return failed(status, title, refusal);
}

const failureTexts: Readonly<Record<FlowFailure, string>> = {
  access_denied: 'The login was denied.',
  provider_unreachable: 'The provider cannot be reached.',
  provider_invalid: 'The provider answered with an invalid message.',
  provider_refused: 'The provider refused the request.',
  provider_timeout: 'The provider did not answer in time.',
  store_failed: 'The credential could not be stored.',
  callback_invalid: 'The answer does not belong to this login.',
  starts_limited: 'Too many logins were started.',
  flows_full: 'Too many logins are under way.',
  interrupted: 'The login was interrupted.',
  shared_unavailable: 'Logins are not available.',
  internal: 'The login failed.',
};
