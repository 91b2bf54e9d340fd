/** What several values of the configuration mean together, routes aside: those are `route/compile.ts`. */
import { isIP } from 'node:net';
import { ProblemList, type ConfigPath, type PolicyProblem } from '../route/problem.ts';
import { checkDecision } from './decision-semantics.ts';
import { checkClientAuth, checkOauth } from './oauth-semantics.ts';
import type { Config, IssuerConfig, SignerConfig } from './schema.ts';
import { checkTls } from './tls-semantics.ts';
import { checkTracing } from './tracing-semantics.ts';

export function checkConfig(config: Config): readonly PolicyProblem[] {
  const problems = new ProblemList();
  for (const [name, issuer] of Object.entries(config.issuers))
    checkIssuer(['issuers', name], issuer, problems);
  checkIssuerNames(config, problems);
  checkIntrospectors(config, problems);
  checkUpstreams(config, problems);
  checkRanges(config, problems);
  checkDecision(config, problems);
  checkMessageSizes(['routes'], config.routes, config.listener.maxWebsocketMessageBytes, problems);
  checkAnswers(config, problems);
  for (const [name, signer] of Object.entries(config.signers))
    checkSigner(['signers', name], signer, problems);
  checkTls(config, problems);
  checkOauth(config, isExposed, problems);
  checkAccessHooks(config, problems);
  checkTracing(config, isExposed, problems);
  return problems.all;
}

const secretSources = ['secret_file', 'secret_env'] as const;

function checkIssuer(at: ConfigPath, issuer: IssuerConfig, problems: ProblemList): void {
  const { keys, tokenTypes } = issuer;
  const given = Object.entries({
    jwks_uri: keys.jwksUri,
    discovery: keys.discovery,
    jwks_file: keys.jwksFile,
    secret_file: keys.secretFile,
    secret_env: keys.secretEnv,
  })
    .filter(([, value]) => value !== undefined)
    .map(([key]) => key);
  const choices = 'jwks_uri, discovery, jwks_file, secret_file, secret_env';
  const signs = issuer.algorithms.length > 0 || issuer.introspection === undefined;
  if (signs && issuer.algorithms.length === 0)
    problems.add([...at, 'algorithms'], 'which algorithms are accepted? Name one at least', { atKey: true });
  checkIntrospection(at, issuer, problems);
  if (!signs && given.length > 0)
    problems.add([...at, 'keys', given[0]!], 'keys are of no use without `algorithms`', { atKey: true });
  if (signs && given.length === 0)
    problems.add([...at, 'keys'], `where do the keys come from? Give one of ${choices}`, { atKey: true });
  for (const key of given.slice(1)) {
    problems.add([...at, 'keys', key], `keys come from one source, and \`${given[0]}\` is given already`, {
      atKey: true,
    });
  }
  checkAlgorithms(at, issuer, given, problems);
  checkTransport(at, issuer, problems);
  if (keys.maxStaleSeconds > 0 && keys.maxStaleSeconds < keys.refreshSeconds) {
    problems.add(
      [...at, 'keys', 'max_stale_seconds'],
      `must be at least refresh_seconds (${keys.refreshSeconds}): good keys would lapse between two refreshes`,
    );
  }
  if (tokenTypes !== undefined) {
    const { values } = tokenTypes;
    if (!values.includes(tokenTypes.default)) {
      problems.addUnknown([...at, 'token_types', 'default'], 'token type', tokenTypes.default, values);
    }
    for (const [index, value] of values.entries()) {
      if (values.indexOf(value) < index)
        problems.add([...at, 'token_types', 'values', index], `"${value}" is there twice`);
    }
  }
}

function checkSigner(at: ConfigPath, signer: SignerConfig, problems: ProblemList): void {
  const { keyFile, secretFile, secretEnv, algorithm } = signer;
  const given = Object.entries({ key_file: keyFile, secret_file: secretFile, secret_env: secretEnv })
    .filter(([, value]) => value !== undefined)
    .map(([key]) => key);
  const isHmac = algorithm.startsWith('HS');
  if (given.length === 0) {
    const wanted = isHmac ? 'secret_file or secret_env' : 'key_file';
    problems.add(at, `what does it sign with? Give ${wanted}`, { atKey: true });
  }
  for (const key of given.slice(1))
    problems.add([...at, key], `the key comes from one place, and \`${given[0]}\` is given already`, {
      atKey: true,
    });
  if (given[0] !== undefined && (given[0] === 'key_file') === isHmac) {
    const wanted = isHmac ? 'a shared secret' : 'a private key';
    problems.add([...at, given[0]], `${algorithm} signs with ${wanted}`, { atKey: true });
  }
}

/** HMAC and public keys never meet: a public key taken for a secret lets everybody sign (RFC 8725 section 3.1). */
function checkAlgorithms(
  at: ConfigPath,
  issuer: IssuerConfig,
  given: readonly string[],
  problems: ProblemList,
): void {
  const isHmac = (algorithm: string): boolean => algorithm.startsWith('HS');
  const { algorithms } = issuer;
  if (algorithms.length === 0) return;
  if (algorithms.some(isHmac) && !algorithms.every(isHmac)) {
    const index = algorithms.findIndex((algorithm) => isHmac(algorithm) !== isHmac(algorithms[0]!));
    problems.add(
      [...at, 'algorithms', index],
      'HS algorithms and public ones exclude each other; make two issuers',
    );
    return;
  }
  const source = given[0];
  if (source === undefined) return;
  const hasSecret = secretSources.some((key) => key === source);
  if (isHmac(algorithms[0]!) && !hasSecret) {
    problems.add([...at, 'keys', source], 'HS algorithms need a shared secret: secret_file or secret_env', {
      atKey: true,
    });
  } else if (!isHmac(algorithms[0]!) && hasSecret) {
    problems.add([...at, 'keys', source], 'a shared secret serves HS algorithms only', { atKey: true });
  }
}

/** RFC 7662. */
function checkIntrospection(
  at: ConfigPath,
  { issuer, introspection }: IssuerConfig,
  problems: ProblemList,
): void {
  if (introspection === undefined) return;
  const place = [...at, 'introspection'];
  const { endpoint, discovery, allowHttp } = introspection;
  if ((endpoint === undefined) === (discovery === undefined))
    problems.add(place, 'where are tokens asked about? Give one of endpoint, discovery', { atKey: true });
  if (endpoint !== undefined && isExposed(endpoint, allowHttp))
    problems.add(
      [...place, 'endpoint'],
      'tokens sent by http:// can be read on the way; use https://, or say `allow_http: true`',
    );
  if (discovery !== undefined && (issuer === undefined || !URL.canParse(issuer)))
    problems.add([...place, 'discovery'], 'discovery needs an https:// URL as `issuer`', { atKey: true });
  else if (discovery !== undefined && isExposed(issuer!, allowHttp))
    problems.add(
      [...at, 'issuer'],
      'an endpoint found by http:// can be replaced; use https://, or say `introspection.allow_http: true`',
    );
  checkClientAuth(place, introspection, problems);
}

function checkTransport(at: ConfigPath, { issuer, keys }: IssuerConfig, problems: ProblemList): void {
  if (keys.jwksUri !== undefined && isExposed(keys.jwksUri, keys.allowHttp)) {
    problems.add(
      [...at, 'keys', 'jwks_uri'],
      'keys fetched by http:// can be replaced on the way; use https://, or say `allow_http: true`',
    );
  }
  if (keys.discovery === undefined) return;
  if (issuer === undefined) {
    problems.add([...at, 'keys', 'discovery'], 'discovery needs `issuer`', { atKey: true });
  } else if (!URL.canParse(issuer) || !/^https?:$/.test(new URL(issuer).protocol)) {
    problems.add([...at, 'issuer'], 'discovery needs an https:// URL here');
  } else if (isExposed(issuer, keys.allowHttp)) {
    problems.add(
      [...at, 'issuer'],
      'keys found by http:// can be replaced on the way; use https://, or say `keys.allow_http: true`',
    );
  }
}

/** What a hook is told of callers, and what it answers, goes over the network. */
function checkAccessHooks({ accessHooks }: Config, problems: ProblemList): void {
  for (const [name, { url, allowHttp }] of Object.entries(accessHooks)) {
    if (isExposed(url, allowHttp)) {
      problems.add(
        ['access_hooks', name, 'url'],
        'answers by http:// can be replaced on the way; use https://, or say `allow_http: true`',
      );
    }
  }
}

function isExposed(url: string, isAllowed: boolean): boolean {
  const { protocol, hostname } = new URL(url);
  return protocol === 'http:' && !isAllowed && !isLoopback(hostname);
}

/** The same hosts that `upstream/fetch.ts` takes for this machine. */
function isLoopback(hostname: string): boolean {
  return (
    hostname === 'localhost' || hostname === '[::1]' || (isIP(hostname) === 4 && hostname.startsWith('127.'))
  );
}

function checkIssuerNames(config: Config, problems: ProblemList): void {
  const seen = new Map<string | undefined, string>();
  for (const [name, { issuer }] of Object.entries(config.issuers)) {
    const other = seen.get(issuer);
    if (other === undefined) seen.set(issuer, name);
    else if (issuer === undefined) {
      problems.add(['issuers', name], `only one issuer can do without \`issuer\`, and "${other}" does`, {
        atKey: true,
      });
    } else problems.add(['issuers', name, 'issuer'], `this is the \`issuer\` of "${other}" already`);
  }
}

/** An opaque token does not say whose it is. */
function checkIntrospectors({ issuers }: Config, problems: ProblemList): void {
  const [first, ...others] = Object.keys(issuers).filter(
    (name) => issuers[name]!.introspection !== undefined,
  );
  for (const name of others) {
    const why = `opaque tokens name no issuer: only one is asked about them, and "${first}" is already`;
    problems.add(['issuers', name, 'introspection'], why, { atKey: true });
  }
}

/** Paths are forwarded as they came, so that an upstream URL is an origin only. */
function checkUpstreams(config: Config, problems: ProblemList): void {
  for (const [name, { urls, tls }] of Object.entries(config.upstreams)) {
    const origins = urls.map((url) => new URL(url).origin);
    const plain = urls.findIndex((url) => new URL(url).protocol === 'http:');
    if (tls !== undefined && plain !== -1)
      problems.add(['upstreams', name, 'urls', plain], '`tls` is given, and this URL is not https://');
    if ((tls?.certFile === undefined) !== (tls?.keyFile === undefined))
      problems.add(['upstreams', name, 'tls'], 'cert_file and key_file go together', { atKey: true });
    for (const [index, text] of urls.entries()) {
      const at = ['upstreams', name, 'urls', index];
      const url = new URL(text);
      if (url.pathname !== '/' || url.search !== '') {
        problems.add(at, 'must have no path and no query: paths are forwarded as they came');
      } else if (origins.indexOf(url.origin) < index) problems.add(at, 'this URL is there twice');
    }
  }
}

function checkRanges({ verifier, listener, admin }: Config, problems: ProblemList): void {
  if (verifier.queueMax < verifier.batchMax) {
    problems.add(['verifier', 'queue_max'], `must be at least batch_max (${verifier.batchMax})`);
  }
  if (listener.port !== 0 && listener.port === admin.port && sameHost(listener.host, admin.host)) {
    problems.add(['admin', 'port'], `${admin.port} is the port of the listener already`);
  }
}

/** The driver has one limit, set at its start. */
function checkMessageSizes(
  at: ConfigPath,
  routes: Config['routes'],
  bytesMax: number,
  problems: ProblemList,
): void {
  for (const [index, { websocket, routes: below }] of routes.entries()) {
    if (websocket !== undefined && websocket.maxMessageBytes > bytesMax) {
      problems.add(
        [...at, index, 'websocket', 'max_message_bytes'],
        `must not be above listener.max_websocket_message_bytes (${bytesMax})`,
      );
    }
    checkMessageSizes([...at, index, 'routes'], [...(below ?? [])], bytesMax, problems);
  }
}

function checkAnswers({ listener, errorProfiles }: Config, problems: ProblemList): void {
  const { errorProfile, correlationId, requestId } = listener;
  if (correlationId?.header === requestId.header)
    problems.add(['listener', 'correlation_id', 'header'], 'this field carries the request id already');
  if (errorProfile === undefined || Object.hasOwn(errorProfiles, errorProfile)) return;
  problems.addUnknown(
    ['listener', 'error_profile'],
    'error profile',
    errorProfile,
    Object.keys(errorProfiles),
  );
}

function sameHost(one: string, other: string): boolean {
  const isAny = (host: string): boolean => host === '0.0.0.0' || host === '::';
  return one === other || isAny(one) || isAny(other);
}
