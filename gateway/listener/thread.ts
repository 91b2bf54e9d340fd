/**
 * Entry of a listener thread: one uWebSockets.js App, one verifier with its pool of workers, one configuration at a time.
 *
 * Whatever ends this thread closes the App first (`exit` handler): the driver aborts the process otherwise. The thread is
 * never terminated from outside; it is told to drain or to stop.
 */
import { once } from 'node:events';
import { parentPort, workerData } from 'node:worker_threads';
import { assert, unreachable } from '../core/assert.ts';
import type { OauthConfig } from '../config/schema.ts';
import { systemClock } from '../core/clock.ts';
import { hasConsole } from '../admin/console/address.ts';
import { openLog } from '../log/logger.ts';
import { RepeatedWarnings } from '../log/repeats.ts';
import { watchLoop } from '../metrics/loop.ts';
import { Recorder } from '../metrics/recorder.ts';
import { UrlCells } from '../metrics/url-cells.ts';
import { WebSocketRecorder } from '../metrics/websocket-recorder.ts';
import { loadDriver } from '../native/uws.ts';
import type { Refuse } from '../upstream/call.ts';
import { certificateReader } from './client-certificate.ts';
import { SilenceWatch } from './silence-watch.ts';
import { ExpiryWatch } from './expiry-watch.ts';
import { UpgradeTickets } from './upgrade-tickets.ts';
import { WebSockets } from './websockets.ts';
import { Drain } from './drain.ts';
import type { UwsExchange } from './exchange.ts';
import { Front } from './front.ts';
import type { Logins } from './logins.ts';
import { HeadReader } from './head.ts';
import { Identities } from './identities.ts';
import {
  type Configuration,
  type FromListener,
  type ListenerBoot,
  type ListenerSeed,
  listenerMessagesVersion,
  type LoginsMemory,
  type ToListener,
} from './messages.ts';
import { ListenerObserver } from './observer.ts';
import { peerAddress, trustedPeers } from './peers.ts';
import { createQuestionHandler } from './questions.ts';
import { createRequestHandler } from './request.ts';
import { requestIdSource } from './request-id.ts';
import { Responder } from './respond.ts';
import { Serving } from './serving.ts';
import { openTracer } from './tracer.ts';
import { Verification } from './verification.ts';
import type { TlsMaterial } from '../tls/certificate.ts';

assert(parentPort !== null, 'a listener is a worker thread');
const main = parentPort;
const seed = workerData as ListenerSeed;
const [boot] = (await once(seed.boot, 'message')) as [ListenerBoot];
seed.boot.close();
assert(boot.version === listenerMessagesVersion, 'a listener of another version');

const tell = (message: FromListener): void => main.postMessage(message);
const { config } = boot.configuration;
const recorder = new Recorder(boot.metrics);
const log = openLog({
  level: config.log.level,
  thread: seed.name,
  onDrop: (lines) => recorder.logLinesDropped(lines),
});

const refuse: Refuse = (exchange, refusal) => (exchange as UwsExchange).refuse(refusal);
let { labels } = boot.configuration;
/** What logins need is loaded only where there are any. */
async function openLogins(memory: LoginsMemory, oauth: OauthConfig): Promise<Logins> {
  const { open } = await import('./logins.ts');
  const warnings = new RepeatedWarnings(log.logger, systemClock);
  return open({
    memory,
    config: oauth,
    recorder,
    warnings,
    ordinalOf: (provider) => labels.providers.get(provider) ?? 0,
    isEnding: () => drain.begun,
    failed: (error) => warnings.error('endpoint', { err: error }, 'an endpoint for logins failed'),
  });
}

const logins =
  boot.logins === null || config.oauth === undefined ? null : await openLogins(boot.logins, config.oauth);
const tracer = await openTracer(boot, seed.name, log.logger);
const openServing = (configuration: Configuration): Promise<Serving> =>
  Serving.open(configuration, {
    recorder,
    logger: log.logger,
    refuse,
    endpoints: logins?.endpoints ?? null,
    credentials: logins?.broker ?? null,
    isTraced: tracer !== null,
  });
let serving = await openServing(boot.configuration);
const verification = new Verification({
  threads: boot.verifierThreads,
  configuration: boot.configuration,
  policy: serving.policy,
  recorder,
  search: (issuer, ticket) => tell({ kind: 'search-keys', issuer, ticket }),
  ask: (token, ticket) => tell({ kind: 'introspect', token, ticket }),
});
const driver = loadDriver(boot.driver);
driver._cfg('silent');
const drain = new Drain();

const correlationIdHeader = config.listener.correlationId?.header ?? null;
const responder = new Responder(config.listener.realm, {
  requestId: config.listener.requestId.header,
  correlationId: correlationIdHeader,
});
const observer = new ListenerObserver({
  recorder,
  webSockets: new WebSocketRecorder(boot.metrics),
  drain,
  tracer,
  identities: new Identities(boot.pseudonyms, () => verification.kids),
});
const isTrustedPeer = trustedPeers(config.listener.trustedProxies);
const answerWatch = new SilenceWatch(config.listener.answerTimeoutMs, systemClock);
const expiryWatch = new ExpiryWatch(systemClock, () => verification.verifier.liveKeys);
const trustCertificateField = config.listener.trustClientCert;
const readCertificate = certificateReader({ secure: boot.tls !== null, trustField: trustCertificateField });
const webSockets = new WebSockets({
  clock: systemClock,
  serving: () => serving,
  verifier: verification.verifier,
  observer,
  expiryWatch,
  answerWatch,
  readCertificate,
  isTrustedPeer,
  requestIdHeader: config.listener.requestId.header,
  messageBytesMax: config.listener.maxWebsocketMessageBytes,
  connectionClosed: () => countConnections(-1),
});
const parts = {
  head: new HeadReader({
    fieldsMax: config.listener.maxHeaderCount,
    bytesMax: config.listener.maxHeaderBytes,
    requestIdHeader: config.listener.requestId.header,
    correlationIdHeader,
  }),
  targetBytesMax: config.listener.maxTargetBytes,
  bodyWatch: new SilenceWatch(config.listener.bodyTimeoutMs, systemClock),
  answerWatch,
  expiryWatch,
  tickets: new UpgradeTickets(boot.tickets, systemClock),
  webSockets,
  verifier: verification.verifier,
  responder,
  secure: boot.tls !== null,
  readCertificate,
  trustCertificateField,
  clock: systemClock,
  observer,
};
const onRequest = createRequestHandler({
  ...parts,
  serving: () => serving,
  answerQuestion: createQuestionHandler({
    ...parts,
    count: (mode, outcome) => recorder.decisionAsked(mode, outcome),
  }),
  trustRequestId: config.listener.requestId.trust,
  newRequestId: requestIdSource(),
  isTrustedPeer,
  isDraining: () => drain.begun,
});

/** The configuration in force, and those whose last requests are not over. */
const servings = new Set([serving]);
const urlCells = hasConsole(config.admin) ? new UrlCells(boot.metrics) : null;
watchLoop(
  recorder,
  () => boot.verifierThreads,
  () => {
    recorder.upstreamsHold([...servings].flatMap((each) => each.upstreamStats()));
    urlCells?.hold(serving.urlStats());
  },
);

let connections = 0;
let fullAddresses: ReadonlySet<string> = new Set();

const front = new Front(driver, boot.tls, {
  serve: (app) => app.ws('/*', webSockets.behavior(onRequest)).any('/*', onRequest),
  connection: (response, delta) => {
    countConnections(delta);
    if (delta < 0) return;
    const refused =
      connections > config.listener.maxConnections ||
      (fullAddresses.size > 0 && isFull(peerAddress(response)));
    if (refused) response.close();
  },
});
process.on('exit', () => front.close());
// An error here is that of this thread: main is told, and tries again with back-off.
tell({ kind: 'listening', port: front.listen(config.listener.host, boot.port) });
// The first requests need not wait for them, nor this start: it judges a few tokens itself.
void verification.verifier.openWorkers();

let inForce = Promise.resolve();
main.on('message', (message: ToListener) => {
  switch (message.kind) {
    case 'configure':
      inTurn(() => configure(message.configuration));
      return;
    case 'keys':
      inTurn(() => renewKeys(message));
      return;
    case 'keys-searched':
      inTurn(() => verification.searched(message.ticket));
      return;
    case 'introspected':
      verification.introspected(message.ticket, message.answer);
      return;
    case 'full-addresses':
      fullAddresses = new Set(message.addresses);
      return;
    case 'certificates':
      renewCertificates(message.tls);
      return;
    case 'ping':
      tell({ kind: 'pong' });
      return;
    case 'drain':
      front.stopAccepting();
      webSockets.drain();
      drain.begin(message.timeoutMs, () => void endQuietly());
      return;
    case 'stop':
      end();
      return;
    default:
      unreachable(message);
  }
});

/** A configuration takes its time; what is about its keys, and came behind it, has to wait. A failure ends the thread. */
function inTurn(act: () => void | Promise<void>): void {
  inForce = inForce.then(act);
}

async function configure(configuration: Configuration): Promise<void> {
  const next = await openServing(configuration);
  const former = serving;
  labels = configuration.labels;
  if (configuration.config.oauth !== undefined) logins?.broker.configure(configuration.config.oauth);
  serving = next;
  log.setLevel(next.config.log.level);
  verification.configure(configuration, next.policy);
  servings.add(next);
  void former.retire().finally(() => servings.delete(former));
  tell({ kind: 'configured', configurationNumber: configuration.number });
}

function renewKeys({ configurationNumber, keys, signing }: Extract<ToListener, { kind: 'keys' }>): void {
  if (configurationNumber !== serving.number) return;
  verification.renewKeys(keys);
  serving.setSigning(signing);
}

function countConnections(delta: number): void {
  connections += delta;
  recorder.connections(delta);
  drain.connections = connections;
}

/** Main found them good; what can still fail is this thread's way to hand them to the driver. */
function renewCertificates(tls: TlsMaterial): void {
  try {
    front.renew(tls);
  } catch (error) {
    log.logger.error({ err: error }, 'renewed certificates cannot be used; those in force stay');
  }
}

/** A trusted proxy speaks for many callers. */
function isFull(address: string): boolean {
  return fullAddresses.has(address) && !isTrustedPeer(address);
}

/** A refresh that nobody waits for is no request in flight, but cut off it could cost a login. Spans wait to be sent, too. */
const quietMsMax = 10_000;

async function endQuietly(): Promise<void> {
  const patience = new Promise((resolve) => setTimeout(resolve, quietMsMax));
  await Promise.race([Promise.all([logins?.broker.quiet(), tracer?.close()]), patience]);
  end();
}

/** Ends the thread; the App is closed by the `exit` handler, whatever is still open on it. */
function end(): void {
  log.flush();
  process.exit(0);
}
