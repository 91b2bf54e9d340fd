/** What the values of the login section mean together. Called by `semantics.ts`. */
import type { ConfigPath, ProblemList } from '../route/problem.ts';
import type { Config, OauthConfig, ProviderConfig } from './schema.ts';

type IsExposed = (url: string, isAllowed: boolean) => boolean;

/** `isExposed` says whether an address is http:// to another host without leave. */
export function checkOauth({ oauth }: Config, isExposed: IsExposed, problems: ProblemList): void {
  if (oauth === undefined) return;
  checkStore(oauth, problems);
  checkLimits(oauth, problems);
  const names = new Map<string, string>(Object.keys(oauth.providers).map((name) => [name, name]));
  for (const [name, provider] of Object.entries(oauth.providers)) {
    const at = ['oauth', 'providers', name];
    for (const [index, alias] of provider.aliases.entries()) {
      const other = names.get(alias);
      if (other !== undefined) problems.add([...at, 'aliases', index], `"${alias}" names "${other}" already`);
      names.set(alias, name);
    }
    checkFlow(at, provider, problems);
    checkClientAuth(at, provider, problems);
    checkTransport(at, provider, isExposed, problems);
    if (provider.intervalSecondsMin > provider.intervalSecondsMax) {
      problems.add([...at, 'interval_seconds_min'], 'must not be larger than interval_seconds_max');
    }
  }
}

function checkStore({ store, providers }: OauthConfig, problems: ProblemList): void {
  const at = ['oauth', 'store'];
  if (store.keyFile === undefined && store.keyEnv === undefined) {
    problems.add(at, 'where does the key ring come from? Give key_file or key_env', { atKey: true });
  }
  if (store.keyFile !== undefined && store.keyEnv !== undefined) {
    problems.add([...at, 'key_env'], 'the key ring comes from one place, and `key_file` is given already', {
      atKey: true,
    });
  }
  const { authJson } = store;
  if (authJson === undefined) return;
  if (authJson.file.includes('{account}') === (authJson.account !== undefined)) {
    problems.add([...at, 'auth_json', 'file'], 'whose is it? Name it with {account}, or give `account`');
  }
  for (const name of Object.keys(authJson.providers)) {
    if (Object.hasOwn(providers, name)) continue;
    problems.add([...at, 'auth_json', 'providers', name], 'there is no such provider', { atKey: true });
  }
}

/** As for the rates of routes: shared memory holds no longer time. */
function checkLimits({ limits: { starts, startsPerMinute } }: OauthConfig, problems: ProblemList): void {
  if (starts / startsPerMinute <= minutesOfDay) return;
  const why = 'the whole allowance would take more than a day to come back';
  problems.add(['oauth', 'limits', 'starts'], why);
}

const minutesOfDay = 1440;

/** Says what the flow asks for and the provider lacks. */
function checkFlow(at: ConfigPath, provider: ProviderConfig, problems: ProblemList): void {
  const { flow, issuer, endpoints, linked } = provider;
  const need = (key: string, value: unknown, why: string): void => {
    if (value === undefined) problems.add(at, `\`flow: ${flow}\` needs \`${key}\`: ${why}`, { atKey: true });
  };
  if (flow === 'linked') {
    need('linked', linked, 'the file that another program keeps');
    return;
  }
  if (linked !== undefined) problems.add([...at, 'linked'], 'is for `flow: linked`', { atKey: true });
  need('client_id', provider.clientId, 'our identity at the provider');
  if (issuer === undefined && provider.scopes.includes('openid')) {
    problems.add([...at, 'scopes'], 'the ID tokens of `openid` are judged by their issuer: give `issuer`', {
      atKey: true,
    });
  }
  if (flow === 'device_pkce') {
    need('endpoints.device_authorization', endpoints.deviceAuthorization, 'it cannot be discovered');
    need('endpoints.device_token', endpoints.deviceToken, 'it cannot be discovered');
    need('endpoints.token', endpoints.token, 'it cannot be discovered');
    need('verification_uri', provider.verificationUri, 'the provider does not say it');
    need('redirect_uri', provider.redirectUri, 'as the provider has it');
    return;
  }
  const own = flow === 'device' ? endpoints.deviceAuthorization : endpoints.authorization;
  if (issuer === undefined) {
    const key = flow === 'device' ? 'endpoints.device_authorization' : 'endpoints.authorization';
    need(key, own, 'without `issuer` nothing is discovered');
    need('endpoints.token', endpoints.token, 'without `issuer` nothing is discovered');
  }
  if (flow === 'code') need('redirect_uri', provider.redirectUri, 'our callback, as it is registered there');
}

export function checkClientAuth(
  at: ConfigPath,
  { clientAuth }: Pick<ProviderConfig, 'clientAuth'>,
  problems: ProblemList,
): void {
  const place = [...at, 'client_auth'];
  const { method, secretFile, secretEnv, keyFile } = clientAuth;
  const secrets = [secretFile, secretEnv].filter((source) => source !== undefined).length;
  if (method.startsWith('client_secret_')) {
    if (secrets !== 1) {
      problems.add(place, `${method} needs one secret: secret_file or secret_env`, { atKey: true });
    }
  } else if (secrets > 0) {
    problems.add(place, `${method} has no use for a secret`, { atKey: true });
  }
  if (method === 'private_key_jwt' && keyFile === undefined) {
    problems.add(place, 'private_key_jwt needs `key_file`', { atKey: true });
  }
  if (method !== 'private_key_jwt' && keyFile !== undefined) {
    problems.add([...place, 'key_file'], 'is for private_key_jwt', { atKey: true });
  }
}

function checkTransport(
  at: ConfigPath,
  provider: ProviderConfig,
  isExposed: IsExposed,
  problems: ProblemList,
): void {
  const addresses: readonly (readonly [readonly string[], string | undefined])[] = [
    [['issuer'], provider.issuer],
    [['endpoints', 'authorization'], provider.endpoints.authorization],
    [['endpoints', 'device_authorization'], provider.endpoints.deviceAuthorization],
    [['endpoints', 'device_token'], provider.endpoints.deviceToken],
    [['endpoints', 'token'], provider.endpoints.token],
    [['redirect_uri'], provider.redirectUri],
    [['verification_uri'], provider.verificationUri],
  ];
  for (const [key, url] of addresses) {
    if (url === undefined || !isExposed(url, provider.allowHttp)) continue;
    problems.add(
      [...at, ...key],
      'codes and tokens sent by http:// can be read on the way; use https://, or say `allow_http: true`',
    );
  }
}
