/** Logins by a device code: RFC 8628. */
import {
  type DeviceAuthorizationResponse,
  deviceAuthorizationRequest,
  deviceCodeGrantRequest,
  processDeviceAuthorizationResponse,
  processDeviceCodeResponse,
} from 'oauth4webapi';
import type { ProviderConfig } from '../config/schema.ts';
import { isLoopback } from '../upstream/fetch.ts';
import { grantOf } from './authorization-server.ts';
import type { ProviderOutcome } from './observer.ts';
import type { Attempt, AttemptPoll } from './provider.ts';
import { ProviderFault, providerFault } from './provider-fault.ts';
import type { Opened } from './server-provider.ts';

/** RFC 8628 section 3.2: when the provider does not say. */
export const intervalSecondsDefault = 5;
const userCodeLengthMax = 64;

/** RFC 8628 section 3.1. */
export async function beginDevice(opened: Opened, signal: AbortSignal): Promise<Attempt> {
  const { server, config, metadata, auth } = opened;
  const parameters = new URLSearchParams(config.parameters);
  if (config.scopes.length > 0) parameters.set('scope', config.scopes.join(' '));
  const answer = await server.step('device_authorization', async () => {
    const response = await deviceAuthorizationRequest(
      metadata,
      server.client,
      auth,
      parameters,
      server.options(signal),
    );
    return judge(
      await processDeviceAuthorizationResponse(metadata, server.client, response),
      config.allowHttp,
    );
  });
  return new DeviceAttempt(opened, answer);
}

/** RFC 8628 section 3.2, and what people are shown: an address that is safe to visit, a code that can be typed. */
function judge(answer: DeviceAuthorizationResponse, allowHttp: boolean): DeviceAuthorizationResponse {
  const { user_code: userCode, verification_uri: uri, verification_uri_complete: complete } = answer;
  checkVerificationUri(uri, allowHttp);
  if (complete !== undefined) checkVerificationUri(complete, allowHttp);
  if (userCode.length > userCodeLengthMax || !/^[\x21-\x7e]+$/.test(userCode))
    throw new ProviderFault('invalid', 'the user code cannot be shown');
  return answer;
}

const uriLengthMax = 1024;

/** Errors: `ProviderFault`, unless the address is https, or this machine's. */
export function checkVerificationUri(text: string, allowHttp: boolean): void {
  const url = URL.canParse(text) && text.length <= uriLengthMax ? new URL(text) : null;
  const safe =
    url !== null &&
    (url.protocol === 'https:' || (url.protocol === 'http:' && (allowHttp || isLoopback(url.hostname))));
  if (!safe) throw new ProviderFault('invalid', 'the verification address is not https');
}

/** An interval within the bounds of the configuration. */
export function clampedIntervalMs(seconds: number | undefined, config: ProviderConfig): number {
  const asked = seconds === undefined || !Number.isFinite(seconds) ? intervalSecondsDefault : seconds;
  return Math.min(config.intervalSecondsMax, Math.max(config.intervalSecondsMin, asked)) * 1000;
}

class DeviceAttempt implements Attempt {
  readonly step: Attempt['step'];
  readonly lifetimeMs: number;
  readonly firstPollMs: number;
  readonly intervalMs: number;
  readonly #opened: Opened;
  readonly #deviceCode: string;

  constructor(opened: Opened, answer: DeviceAuthorizationResponse) {
    const { config } = opened;
    this.#opened = opened;
    this.#deviceCode = answer.device_code;
    this.step = {
      kind: 'device',
      userCode: answer.user_code,
      verificationUri: answer.verification_uri,
      verificationUriComplete: answer.verification_uri_complete ?? null,
    };
    this.lifetimeMs = Math.min(config.lifetimeSeconds, Math.max(1, answer.expires_in)) * 1000;
    this.firstPollMs = this.intervalMs = clampedIntervalMs(answer.interval, config);
  }

  /** RFC 8628 sections 3.4 and 3.5. */
  poll(signal: AbortSignal): Promise<AttemptPoll> {
    return this.#opened.server.step('device_token', () => this.#poll(signal), outcomeOfPoll);
  }

  async #poll(signal: AbortSignal): Promise<AttemptPoll> {
    const { server, metadata, auth } = this.#opened;
    const { client } = server;
    try {
      const response = await deviceCodeGrantRequest(
        metadata,
        client,
        auth,
        this.#deviceCode,
        server.options(signal),
      );
      const answer = await processDeviceCodeResponse(metadata, client, response);
      return { kind: 'granted', grant: grantOf(answer, server.nowMs()) };
    } catch (error) {
      const fault = providerFault(error);
      const poll = polls.get(fault.oauthCode);
      if (poll === undefined) throw fault;
      return poll;
    }
  }
}

const polls = new Map<string | null, AttemptPoll>([
  ['authorization_pending', { kind: 'pending' }],
  ['slow_down', { kind: 'slow_down' }],
  ['access_denied', { kind: 'denied' }],
  ['expired_token', { kind: 'expired' }],
]);

export function outcomeOfPoll(poll: AttemptPoll): ProviderOutcome {
  switch (poll.kind) {
    case 'granted':
      return 'ok';
    case 'pending':
    case 'slow_down':
      return poll.kind;
    case 'denied':
    case 'expired':
      return 'refused';
  }
}
