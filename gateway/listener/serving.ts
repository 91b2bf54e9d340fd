/**
 * What one configuration needs to serve requests on this thread. A reload makes a new one beside it and swaps the reference;
 * requests under way keep the one they began with, and it is retired when the last of them is over.
 */
import type { HookAnswer } from '../access-hook/answers.ts';
import { questionOf } from '../access-hook/question.ts';
import { systemClock } from '../core/clock.ts';
import { inSlices } from '../core/slices.ts';
import type { Exchange } from '../core/exchange.ts';
import { type Refusal, refusals } from '../core/errors.ts';
import type { Facts } from '../core/facts.ts';
import { isTraceTaken } from '../core/trace-context.ts';
import { isDenial, type Permit } from '../core/verdict.ts';
import type { Config } from '../config/schema.ts';
import { assert } from '../core/assert.ts';
import { DecisionMounts } from '../decision/mounts.ts';
import { AccessLog } from '../log/access.ts';
import type { Logger } from '../log/logger.ts';
import { RepeatedWarnings } from '../log/repeats.ts';
import { noRoute } from '../metrics/ordinals.ts';
import type { Recorder } from '../metrics/recorder.ts';
import { compileInSlices } from '../route/compile.ts';
import { compileMatcher, type Matcher } from '../route/match.ts';
import { accountOfRequest } from '../oauth/account.ts';
import type { Endpoints } from '../oauth/http/endpoints.ts';
import type { BrokerApi } from '../oauth/broker.ts';
import type { CredentialUse, FixedResponse, OauthMount, Policy, Route } from '../route/policy.ts';
import type { SigningKeys } from '../token/signing-key.ts';
import type { Refuse } from '../upstream/call.ts';
import { forward } from '../upstream/forward.ts';
import { HeaderPlan } from '../upstream/headers.ts';
import type { UpstreamStats, UrlStats } from '../upstream/observer.ts';
import { Upstream } from '../upstream/upstream.ts';
import { Limiter } from './limiter.ts';
import type { Configuration } from './messages.ts';
import { trustedPeers } from './peers.ts';
import { openHooks, type OpenHook } from './hooks.ts';
import type { RequestTrace } from './request-trace.ts';
import { Reissuer } from './reissuer.ts';
import { recordUpstream } from './recorded-upstream.ts';

const refusalOf: Readonly<Record<HookAnswer, Refusal | null>> = {
  allowed: null,
  denied: refusals.access_denied,
  failed: refusals.access_unknown,
};

interface Target {
  readonly upstream: Upstream;
  readonly plan: HeaderPlan;
}

export interface ServingParts {
  readonly recorder: Recorder;
  readonly logger: Logger;
  /** Answers an exchange whose call to an upstream failed. */
  readonly refuse: Refuse;
  /** Serves logins; null where none are configured. */
  readonly endpoints: Endpoints | null;
  /** Gives out what logins stored; null where none are configured. */
  readonly credentials: Pick<BrokerApi, 'credential'> | null;
  /** Requests bring fields of their trace with them. */
  readonly isTraced: boolean;
}

export class Serving {
  readonly number: number;
  readonly config: Config;
  readonly policy: Policy;
  readonly matcher: Matcher;
  readonly access: AccessLog;
  readonly limiter: Limiter;
  /** Where other proxies ask for decisions; null where they cannot. */
  readonly decisions: DecisionMounts | null;
  /** Null where the configuration makes no tokens. */
  readonly reissuer: Reissuer | null;
  /** A token is looked at even where none is asked for, so that it may be renewed. */
  readonly looksAside: boolean;
  /** The state of each upstream by its ordinal, as it is now. */
  readonly upstreamStats: () => (readonly [number, UpstreamStats])[];
  readonly urlStats: () => (readonly [number, readonly UrlStats[]])[];
  #jwks: FixedResponse = { status: 200, headers: [], body: '' };
  readonly #ordinals: readonly number[];
  /** By route index; null for a route that answers by itself. */
  readonly #targets: readonly (Target | null)[];
  readonly #upstreams: readonly Upstream[];
  readonly #hooks: ReadonlyMap<string, OpenHook>;
  readonly #refuse: Refuse;
  readonly #endpoints: Endpoints | null;
  readonly #credentials: Pick<BrokerApi, 'credential'> | null;

  /** Requests are served meanwhile: the policy of 10,000 routes takes a fifth of a second. */
  static async open(configuration: Configuration, parts: ServingParts): Promise<Serving> {
    const compiled = await inSlices(compileInSlices(configuration.config));
    assert(compiled.ok, 'main compiled this configuration before');
    return new Serving(configuration, compiled.policy, parts);
  }

  private constructor(configuration: Configuration, policy: Policy, parts: ServingParts) {
    const { config, labels, upstreamTls } = configuration;
    const { recorder, logger, refuse, endpoints, credentials, isTraced } = parts;
    this.number = configuration.number;
    this.config = config;
    this.policy = policy;
    this.matcher = compileMatcher(policy);
    this.limiter = new Limiter(policy, configuration.rates, systemClock);
    this.access = new AccessLog(logger, config.log.access, config.log.accessSample);
    const { decision, listener } = config;
    this.decisions =
      decision === undefined
        ? null
        : new DecisionMounts(decision, trustedPeers(decision.peers ?? listener.trustedProxies), policy);
    this.reissuer = Reissuer.of(policy, config.signers, systemClock, recorder);
    this.looksAside = policy.renewals.some((renewal) => renewal?.onAllAnswers === true);
    this.setSigning(configuration.signing);
    this.#ordinals = labels.routes;
    this.#refuse = refuse;
    this.#endpoints = endpoints;
    this.#credentials = credentials;

    const warnings = new RepeatedWarnings(logger, systemClock);
    const ordinalOf = (name: string): number => labels.upstreams.get(name) ?? 0;
    const upstreams = new Map<string, Upstream>();
    for (const [name, upstream] of Object.entries(config.upstreams)) {
      const observer = recordUpstream(name, ordinalOf(name), recorder, warnings);
      upstreams.set(
        name,
        new Upstream(name, upstream, {
          clock: systemClock,
          random: Math.random,
          observer,
          tls: upstreamTls.get(name),
        }),
      );
    }
    this.#upstreams = [...upstreams.values()];
    this.#hooks = openHooks(config.accessHooks, recorder, warnings);
    const settings = {
      identityHeaders: policy.identityHeaders,
      requestIdHeader: config.listener.requestId.header,
    };
    const { traceContext } = config.listener;
    /** Most routes of a configuration forward alike. */
    const plans = new Map<string, HeaderPlan>();
    const planOf = ({ forwarding, access }: Route): HeaderPlan => {
      const keepsTrace = !isTraced && isTraceTaken(traceContext, access !== null);
      const key = JSON.stringify([forwarding, keepsTrace]);
      const plan = plans.get(key) ?? new HeaderPlan(forwarding, { ...settings, keepsTrace });
      plans.set(key, plan);
      return plan;
    };
    this.#targets = policy.routes.map((route) => {
      const upstream = route.upstream === null ? undefined : upstreams.get(route.upstream);
      return upstream === undefined ? null : { upstream, plan: planOf(route) };
    });
    this.upstreamStats = () => this.#upstreams.map(({ name, stats }) => [ordinalOf(name), stats]);
    this.urlStats = () => this.#upstreams.map(({ name, urlStats }) => [ordinalOf(name), urlStats]);
  }

  /** The signers have other keys from now on; in the order of the configuration. */
  setSigning(keys: readonly SigningKeys[]): void {
    this.reissuer?.setKeys(keys);
    this.#jwks = {
      status: 200,
      headers: ['Content-Type', 'application/jwk-set+json', 'Cache-Control', 'max-age=60'],
      body: JSON.stringify({ keys: keys.flatMap(({ published }) => published) }),
    };
  }

  /** The public keys of the signers (RFC 7517 section 5). */
  get jwks(): FixedResponse {
    return this.#jwks;
  }

  ordinalOf(route: Route): number {
    return this.#ordinals[route.index] ?? noRoute;
  }

  forward(permit: Permit, route: Route, exchange: Exchange): void {
    const target = this.#targets[route.index];
    assert(target !== undefined && target !== null, 'a route that forwards has an upstream');
    const { upstream, plan } = target;
    if (route.credential === null) forward(permit, plan, exchange, upstream, this.#refuse);
    else void this.#forwardWithCredential(permit, route.credential, target, exchange);
  }

  /** A credential that is at hand costs a turn of the event loop; one that must be renewed, the provider's time. */
  async #forwardWithCredential(
    permit: Permit,
    use: CredentialUse,
    { upstream, plan }: Target,
    exchange: Exchange,
  ): Promise<void> {
    assert(this.#credentials !== null, 'credentials are used where logins are configured');
    const account = accountOfRequest(use, permit.facts, this.policy.vocabulary);
    if (account === null) return this.#refuse(exchange, refusals.claim_unforwardable);
    const token = await this.#credentials.credential(use.provider, account);
    if (isDenial(token)) return this.#refuse(exchange, token);
    forward(permit, plan, exchange, upstream, this.#refuse, `Bearer ${token.value}`);
  }

  /**
   * Asks the hook of a route about a request that is permitted, and settles once with the refusal, or null when the permit
   * stands.
   */
  askHook(
    route: Route,
    request: {
      readonly methodName: string;
      readonly path: string;
      readonly trace?: Pick<RequestTrace, 'asking'> | null;
    },
    facts: Facts,
    settle: (refusal: Refusal | null) => void,
  ): void {
    const hook = this.#hooks.get(route.hook!.name);
    assert(hook !== undefined, 'a route asks a hook that there is');
    const question = questionOf(route, request, facts, this.policy.vocabulary);
    if (question === null) return settle(refusals.claim_unforwardable);
    hook.answers.ask(
      question,
      (answer) => settle(refusalOf[answer]),
      () => request.trace?.asking() ?? [],
    );
  }

  login(permit: Permit, mount: OauthMount, exchange: Exchange): void {
    assert(this.#endpoints !== null, 'logins are served where they are configured');
    const { facts } = permit;
    const subject = facts?.subject ?? null;
    const issuer = facts === null ? '' : (this.policy.vocabulary.issuers[facts.issuer] ?? '');
    const identity = subject === null ? null : { issuer, subject };
    this.#endpoints.serve(mount, identity, exchange);
  }

  /** No new request comes. Resolves when the last one is over and the connections to the upstreams are closed. */
  async retire(): Promise<void> {
    await Promise.all([...this.#upstreams, ...this.#hooks.values()].map((each) => each.close()));
  }
}
