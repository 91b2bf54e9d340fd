/**
 * The broker as one listener thread has it: starts logins once, finishes them once, refreshes credentials once, however
 * many callers and threads ask. The endpoints, the page and the injection of credentials are built on this.
 *
 * Every answer is a value: what the caller asked for, or a refusal of the catalogue (`isDenial` tells). Nothing throws.
 */
import type { OauthConfig } from '../config/schema.ts';
import { type Refusal, refusals } from '../core/errors.ts';
import type { Answer, Standing } from '../flight/answer.ts';
import { type Allowance, allowanceOf } from './allowance.ts';
import type { BrokerParts } from './broker-parts.ts';
import type { CredentialId } from './credential.ts';
import { type AccessToken, Credentials, type RefreshSettings, refreshSettingsOf } from './credentials.ts';
import { flowOf } from './details.ts';
import { reasonOf, refusalOf } from './failure.ts';
import type { Flow } from './flow.ts';
import { credentialIdOf, loginKey, type LoginListing, type StoredLogin, storedLogin } from './listing.ts';
import { type Led, Login } from './login.ts';
import type { Provider } from './provider.ts';
import { createProviders, type Providers } from './providers.ts';
import type { RelayMessage } from './relay.ts';
import { notShared, SharedBetweenProcesses, type Sharing } from './redis/sharing.ts';
import { startLogin } from './start-login.ts';
import { Tickets } from './tickets.ts';

export interface StartRequest {
  /** Its name in the configuration, or an alias. */
  readonly provider: string;
  /** Whose login it is, canonical: with the provider it is the key, of which one flow is live. */
  readonly account: string;
  /** Digest of the subject or session that asks: the id of the flow is good for this owner only. */
  readonly owner: Uint8Array;
}

export interface Started {
  readonly flow: Flow;
  /** Whether this call made the flow, or joined one that was under way. */
  readonly role: 'leader' | 'joiner';
}

/** How long a cancel waits for what is being stored, and a callback for the exchange. */
const settleMs = 20_000;
/** How long a sleep may go on without a look: the bound for a wake that was lost with its thread. */
const lookMs = 1000;
const callbackLengthMax = 8192;

export class Broker {
  readonly #parts: BrokerParts;
  readonly #tickets: Tickets;
  readonly #credentials: Credentials;
  readonly #led = new Map<string, Led>();
  readonly #sharing: Sharing;
  #providers: Providers;
  #refresh: RefreshSettings;
  #allowance: Allowance;

  constructor(parts: BrokerParts) {
    this.#parts = parts;
    this.#tickets = new Tickets(parts.secret);
    this.#sharing =
      parts.shared === null
        ? notShared
        : new SharedBetweenProcesses(parts.shared, {
            timers: parts.timers,
            led: this.#led,
            changed: (id) => this.#changed(id),
            failed: parts.failed,
          });
    this.#providers = createProviders(parts.config.providers, parts);
    this.#refresh = refreshSettingsOf(parts.config);
    this.#allowance = allowanceOf(parts.config, parts.clock, parts.starts, parts.secret);
    this.#credentials = new Credentials({
      ...parts,
      settings: () => this.#refresh,
      keep: (tokens) => this.#tell({ kind: 'unsaved', tokens }),
      changed: (id) => this.#changed(id),
      share: (key, id, work) => this.#sharing.share(key, id, () => work),
    });
    parts.relay.listen((message) => this.#hear(message));
  }

  /** Takes over another configuration. Flows under way go on as they began. */
  configure(config: OauthConfig): void {
    this.#providers = createProviders(config.providers, this.#parts);
    this.#refresh = refreshSettingsOf(config);
    const { clock, starts, secret } = this.#parts;
    this.#allowance = allowanceOf(config, clock, starts, secret);
  }

  /** The names of the providers, in the order of the configuration. */
  get providers(): readonly string[] {
    return this.#providers.names;
  }

  /** The name behind a name or alias; null when there is no such provider. */
  providerName(name: string): string | null {
    return this.#providers.find(name)?.name ?? null;
  }

  /** Starts the login, or joins the one under way. Answers when the user can be told what to do. */
  async start({ provider: name, account, owner }: StartRequest): Promise<Started | Refusal> {
    const provider = this.#providers.find(name);
    if (provider === undefined) return refusals.oauth_provider_unknown;
    const id = credentialIdOf(provider, account);
    if (id === null) return refusals.oauth_account_invalid;
    const caller = `owner ${Buffer.from(owner).toString('base64')}`;
    if (!this.#allowance.has(caller)) return refusals.oauth_starts_limited;
    const key = loginKey(id);
    // The secrets of a login in the browser stay with who made them, and so does its flight.
    const isShared = provider.flow === 'device' || provider.flow === 'device_pkce';
    const sharing = isShared ? this.#sharing : notShared;
    const work = sharing.share(
      key,
      id,
      (isCancelledElsewhere) =>
        new Login({
          ...this.#parts,
          provider,
          id,
          admit: () => this.#admit(id, caller),
          led: this.#led,
          isCancelledElsewhere,
          changed: (changed) => this.#changed(changed),
        }),
    );
    const isReady = (await provider.linked?.isReady()) ?? false;
    const until = isReady ? 'settled' : 'published';
    const answer = await this.#waiting(startLogin(this.#parts.table, key, work, until));
    return this.#started(answer, provider, owner);
  }

  /** How a flow stands. `oauth_flow_unknown` for one that is not this owner's, or that was kept long enough. */
  async poll(flowId: string, owner: Uint8Array): Promise<Flow | Refusal> {
    const flow = this.#tickets.flowOf(flowId, owner);
    return flow === null ? refusals.oauth_flow_unknown : this.#view(flow, owner);
  }

  /** The same when it is no longer `pending`, at the latest after `timeoutMs`. Many may wait at once. */
  async watch(flowId: string, owner: Uint8Array, timeoutMs: number): Promise<Flow | Refusal> {
    const flow = this.#tickets.flowOf(flowId, owner);
    if (flow === null) return refusals.oauth_flow_unknown;
    await this.#waiting(this.#settled(flow, timeoutMs));
    return this.#view(flow, owner);
  }

  /**
   * Cancels, also while the credential is being stored: it is then taken back. Answers how the flow stands afterwards;
   * one that ended before keeps its end.
   */
  async cancel(flowId: string, owner: Uint8Array): Promise<Flow | Refusal> {
    const flow = this.#tickets.flowOf(flowId, owner);
    const standing = flow === null ? null : await this.#parts.table.cancel(flow);
    if (flow === null || standing === null) return refusals.oauth_flow_unknown;
    this.#tell({ kind: 'cancel', flow });
    if (standing.state === 'committing') await this.#waiting(this.#settled(flow, settleMs));
    return this.#view(flow, owner);
  }

  /**
   * Takes the answer that a browser brings back in the code flow, once, and waits for the end of the login.
   *
   * Source: RFC 6749 section 4.1.2; `iss` (RFC 9207) is judged by the leader of the flow.
   */
  async callback(parameters: URLSearchParams, owner: Uint8Array): Promise<Flow | Refusal> {
    const states = parameters.getAll('state');
    const text = parameters.toString();
    if (states.length !== 1 || text.length > callbackLengthMax) return refusals.oauth_callback_invalid;
    const flow = this.#tickets.flowOfState(states[0]!, owner);
    const standing = flow === null ? null : await this.#parts.table.view(flow);
    if (flow === null || standing === null) return refusals.oauth_callback_invalid;
    if (standing.state !== 'pending') return refusals.oauth_callback_used;
    this.#tell({ kind: 'callback', flow, parameters: text });
    await this.#waiting(this.#settled(flow, settleMs));
    return this.#view(flow, owner);
  }

  /** Every provider, with the stored login of this account and the flow that it has. */
  async list(account: string, owner: Uint8Array): Promise<readonly LoginListing[] | Refusal> {
    const providers = this.#providers.names.flatMap((name) => this.#providers.find(name) ?? []);
    const listings: LoginListing[] = [];
    for (const provider of providers) {
      const id = credentialIdOf(provider, account);
      if (id === null) return refusals.oauth_account_invalid;
      const flow = this.#parts.table.find(loginKey(id));
      const seen = flow === null ? null : await this.#view(flow, owner);
      listings.push({
        provider: provider.name,
        kind: provider.flow,
        ...(await this.#stored(provider, id)),
        flow: seen === null || 'code' in seen ? null : seen,
      });
    }
    return listings;
  }

  /** The access token to use now; refreshed before, if it was due. */
  async credential(name: string, account: string): Promise<AccessToken | Refusal> {
    const provider = this.#providers.find(name);
    if (provider === undefined) return refusals.oauth_provider_unknown;
    const id = credentialIdOf(provider, account);
    return id === null ? refusals.oauth_account_invalid : this.#credentials.token(provider, id.account);
  }

  /** Forgets a stored login. Answers whether there was one. */
  async forget(name: string, account: string): Promise<boolean | Refusal> {
    const provider = this.#providers.find(name);
    if (provider === undefined) return refusals.oauth_provider_unknown;
    const id = credentialIdOf(provider, account);
    if (id === null) return refusals.oauth_account_invalid;
    try {
      return await this.#parts.store.delete(id);
    } catch (error) {
      this.#parts.observer.storeFailed('delete');
      this.#parts.failed('deleting a credential', provider.name, error);
      return refusals.oauth_store_unavailable;
    } finally {
      this.#changed(id);
    }
  }

  /** Resolves when the thread can end without losing what a provider is granting: bounded by the wait for refreshes. */
  quiet(): Promise<void> {
    return this.#credentials.quiet();
  }

  #started(answer: Answer, provider: Provider, owner: Uint8Array): Started | Refusal {
    const { observer } = this.#parts;
    switch (answer.kind) {
      case 'flow': {
        if (answer.led) observer.flowStarted(provider.name);
        else observer.flowJoined(provider.name);
        const flow = this.#flow(answer.flowId, owner, { state: answer.state, code: 0 }, answer.payload);
        return { flow, role: answer.led ? 'leader' : 'joiner' };
      }
      case 'failed':
        return refusalOf(reasonOf(answer.code));
      case 'full':
        return refusals.oauth_flows_full;
      case 'waited-out':
        return refusals.oauth_provider_timeout;
      case 'contended':
        return refusals.oauth_interrupted;
      case 'closed':
        return refusals.gateway_draining;
    }
  }

  async #view(flow: string, owner: Uint8Array): Promise<Flow | Refusal> {
    const seen = await this.#parts.table.read(flow);
    return seen === null ? refusals.oauth_flow_unknown : this.#flow(flow, owner, seen, seen.payload);
  }

  #flow(
    flow: string,
    owner: Uint8Array,
    standing: Pick<Standing, 'state' | 'code'>,
    payload: Uint8Array | null,
  ): Flow {
    const id = this.#tickets.flowId(flow, owner);
    return flowOf(id, standing, payload, () => this.#tickets.state(flow, owner));
  }

  /** Waits for the end of a flow. */
  async #settled(flow: string, timeoutMs: number): Promise<void> {
    const { table, clock } = this.#parts;
    const endMs = clock.monotonicMs() + timeoutMs;
    // Bounded by the deadline: every sleep but the last takes `lookMs`, or ends with a change of the flow's word.
    for (;;) {
      const standing = await table.view(flow);
      if (standing === null || (standing.state !== 'pending' && standing.state !== 'committing')) return;
      const leftMs = endMs - clock.monotonicMs();
      if (leftMs <= 0) return;
      await table.changed(flow, Math.min(leftMs, lookMs));
    }
  }

  async #waiting<T>(promise: Promise<T>): Promise<T> {
    this.#parts.observer.waiting(1);
    try {
      return await promise;
    } finally {
      this.#parts.observer.waiting(-1);
    }
  }

  async #stored(provider: Provider, id: CredentialId): Promise<StoredLogin> {
    const { store, clock, observer, failed } = this.#parts;
    try {
      return await storedLogin(store, provider, id, clock.nowMs());
    } catch (error) {
      observer.storeFailed('read');
      failed('reading a credential', provider.name, error);
      return { credential: 'unknown', expiresAtMs: null };
    }
  }

  #admit(id: CredentialId, caller: string): boolean {
    const account = `account ${id.provider.length} ${id.provider}${id.account}`;
    return this.#allowance.has(account) && this.#allowance.take(caller) && this.#allowance.take(account);
  }

  #changed({ provider, account }: CredentialId): void {
    this.#tell({ kind: 'changed', provider, account });
  }

  /** Tells all threads, this one first. */
  #tell(message: RelayMessage): void {
    this.#hear(message);
    this.#parts.relay.send(message);
  }

  #hear(message: RelayMessage): void {
    switch (message.kind) {
      case 'callback':
        this.#led.get(message.flow)?.answer(new URLSearchParams(message.parameters));
        return;
      case 'cancel':
        this.#led.get(message.flow)?.cancel();
        return;
      case 'unsaved':
        this.#credentials.keep(message.tokens);
        return;
      case 'changed':
        this.#credentials.forget(message);
    }
  }
}

export type BrokerApi = Pick<
  Broker,
  | 'providers'
  | 'providerName'
  | 'start'
  | 'poll'
  | 'watch'
  | 'cancel'
  | 'callback'
  | 'list'
  | 'credential'
  | 'forget'
>;
