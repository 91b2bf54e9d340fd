/** The files and environment variables that a configuration names: found from its folder, and looked for where it is checked. */
import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { ConfigPath, PolicyProblem } from '../route/problem.ts';
import { missingPackages } from '../tracing/packages.ts';
import type { ClientAuthConfig, Config, OauthConfig, TlsConfig } from './schema.ts';
import type { Environment } from './substitute.ts';

/** Secrets, key sets and optional packages need not be there where a file is checked; a start needs them. */
export async function missingSecrets(config: Config, env: Environment): Promise<readonly PolicyProblem[]> {
  const warnings: PolicyProblem[] = [];
  for (const { path, file, variable } of secretsOf(config)) {
    if (variable !== undefined && !env[variable]) {
      warnings.push({ path, message: 'the environment variable is not set here' });
    }
    if (file === undefined) continue;
    const isReadable = await access(file, constants.R_OK).then(
      () => true,
      () => false,
    );
    if (!isReadable) warnings.push({ path, message: 'the file cannot be read here' });
  }
  const packages = config.tracing.exporter === 'otlp' ? missingPackages() : null;
  if (packages !== null) warnings.push({ path: ['tracing', 'exporter'], message: packages });
  return warnings;
}

interface SecretPlace {
  readonly path: ConfigPath;
  readonly file?: string | undefined;
  readonly variable?: string | undefined;
}

function secretsOf({
  listener,
  issuers,
  signers,
  upstreams,
  tracing,
  oauth,
}: Config): readonly SecretPlace[] {
  const ofIssuers = Object.entries(issuers).flatMap(([name, { keys }]): readonly SecretPlace[] => {
    const at = ['issuers', name, 'keys'];
    return [
      { path: [...at, 'jwks_file'], file: keys.jwksFile },
      { path: [...at, 'secret_file'], file: keys.secretFile },
      { path: [...at, 'secret_env'], variable: keys.secretEnv },
    ];
  });
  const ofSigners = Object.entries(signers).flatMap(([name, signer]): readonly SecretPlace[] => {
    const at = ['signers', name];
    return [
      { path: [...at, 'key_file'], file: signer.keyFile },
      { path: [...at, 'secret_file'], file: signer.secretFile },
      { path: [...at, 'secret_env'], variable: signer.secretEnv },
    ];
  });
  const ofIntrospection = Object.entries(issuers).flatMap(([name, { introspection }]) =>
    placesOfClientAuth(['issuers', name, 'introspection'], introspection?.clientAuth),
  );
  const { tls } = listener;
  const ofTls = (tls?.certificates ?? []).flatMap(({ certFile, keyFile }, index): readonly SecretPlace[] => {
    const at = ['listener', 'tls', 'certificates', index];
    return [
      { path: [...at, 'cert_file'], file: certFile },
      { path: [...at, 'key_file'], file: keyFile },
    ];
  });
  ofTls.push({
    path: ['listener', 'tls', 'client_certificates', 'ca_file'],
    file: tls?.clientCertificates?.caFile,
  });
  for (const [name, { tls: upstreamTls }] of Object.entries(upstreams)) {
    const at = ['upstreams', name, 'tls'];
    ofTls.push(
      { path: [...at, 'ca_file'], file: upstreamTls?.caFile },
      { path: [...at, 'cert_file'], file: upstreamTls?.certFile },
      { path: [...at, 'key_file'], file: upstreamTls?.keyFile },
    );
  }
  const ofTracing: readonly SecretPlace[] = [
    { path: ['tracing', 'headers_file'], file: tracing.headersFile },
    { path: ['tracing', 'headers_env'], variable: tracing.headersEnv },
  ];
  if (oauth === undefined) return [...ofTracing, ...ofTls, ...ofIssuers, ...ofSigners, ...ofIntrospection];
  const ofProviders = Object.entries(oauth.providers).flatMap(([name, { clientAuth }]) =>
    placesOfClientAuth(['oauth', 'providers', name], clientAuth),
  );
  const at = ['oauth', 'store'];
  return [
    ...ofTracing,
    ...ofTls,
    ...ofIssuers,
    ...ofSigners,
    ...ofIntrospection,
    { path: [...at, 'key_file'], file: oauth.store.keyFile },
    { path: [...at, 'key_env'], variable: oauth.store.keyEnv },
    { path: ['oauth', 'shared', 'password_env'], variable: oauth.shared?.passwordEnv },
    ...ofProviders,
  ];
}

function placesOfClientAuth(
  at: ConfigPath,
  clientAuth: ClientAuthConfig | undefined,
): readonly SecretPlace[] {
  if (clientAuth === undefined) return [];
  const { secretFile, secretEnv, keyFile } = clientAuth;
  return [
    { path: [...at, 'client_auth', 'secret_file'], file: secretFile },
    { path: [...at, 'client_auth', 'secret_env'], variable: secretEnv },
    { path: [...at, 'client_auth', 'key_file'], file: keyFile },
  ];
}

/** File names are relative to the configuration file, wherever the program was started. */
export function resolveFiles(config: Config, folder: string): Config {
  const from = (file: string): string => resolve(folder, file);
  const issuers = Object.fromEntries(
    Object.entries(config.issuers).map(([name, issuer]) => {
      const { jwksFile, secretFile } = issuer.keys;
      const files = {
        ...(jwksFile === undefined ? {} : { jwksFile: from(jwksFile) }),
        ...(secretFile === undefined ? {} : { secretFile: from(secretFile) }),
      };
      const { introspection } = issuer;
      const resolved = { ...issuer, keys: { ...issuer.keys, ...files } };
      if (introspection === undefined) return [name, resolved];
      const clientAuth = resolveClientAuth(introspection.clientAuth, from);
      return [name, { ...resolved, introspection: { ...introspection, clientAuth } }];
    }),
  );
  const signers = Object.fromEntries(
    Object.entries(config.signers).map(([name, signer]) => {
      const { keyFile, secretFile } = signer;
      const files = {
        ...(keyFile === undefined ? {} : { keyFile: from(keyFile) }),
        ...(secretFile === undefined ? {} : { secretFile: from(secretFile) }),
      };
      return [name, { ...signer, ...files }];
    }),
  );
  const upstreams = Object.fromEntries(
    Object.entries(config.upstreams).map(([name, upstream]) => {
      const { caFile, certFile, keyFile } = upstream.tls ?? {};
      const files = {
        ...(caFile === undefined ? {} : { caFile: from(caFile) }),
        ...(certFile === undefined ? {} : { certFile: from(certFile) }),
        ...(keyFile === undefined ? {} : { keyFile: from(keyFile) }),
      };
      return [
        name,
        upstream.tls === undefined ? upstream : { ...upstream, tls: { ...upstream.tls, ...files } },
      ];
    }),
  );
  const { tls } = config.listener;
  const listener =
    tls === undefined ? config.listener : { ...config.listener, tls: resolveTlsFiles(tls, from) };
  const { headersFile } = config.tracing;
  const tracing = {
    ...config.tracing,
    ...(headersFile === undefined ? {} : { headersFile: from(headersFile) }),
  };
  const resolved = { ...config, listener, issuers, signers, upstreams, tracing };
  if (config.oauth === undefined) return resolved;
  return { ...resolved, oauth: resolveOauthFiles(config.oauth, from) };
}

function resolveClientAuth(clientAuth: ClientAuthConfig, from: (file: string) => string): ClientAuthConfig {
  const { secretFile, keyFile } = clientAuth;
  return {
    ...clientAuth,
    ...(secretFile === undefined ? {} : { secretFile: from(secretFile) }),
    ...(keyFile === undefined ? {} : { keyFile: from(keyFile) }),
  };
}

function resolveTlsFiles(tls: TlsConfig, from: (file: string) => string): TlsConfig {
  const certificates = tls.certificates.map((certificate) => ({
    ...certificate,
    certFile: from(certificate.certFile),
    keyFile: from(certificate.keyFile),
  }));
  const caFile = tls.clientCertificates?.caFile;
  return {
    ...tls,
    certificates,
    ...(caFile === undefined ? {} : { clientCertificates: { caFile: from(caFile) } }),
  };
}

function resolveOauthFiles(oauth: OauthConfig, from: (file: string) => string): OauthConfig {
  const { file, keyFile, authJson } = oauth.store;
  const providers = Object.fromEntries(
    Object.entries(oauth.providers).map(([name, provider]) => {
      const clientAuth = resolveClientAuth(provider.clientAuth, from);
      const { linked } = provider;
      if (linked === undefined) return [name, { ...provider, clientAuth }];
      const file = linked.file.startsWith('~/') ? linked.file : from(linked.file);
      return [name, { ...provider, clientAuth, linked: { ...linked, file } }];
    }),
  );
  const store = {
    ...oauth.store,
    file: from(file),
    ...(keyFile === undefined ? {} : { keyFile: from(keyFile) }),
    ...(authJson === undefined ? {} : { authJson: { ...authJson, file: from(authJson.file) } }),
  };
  return { ...oauth, store, providers };
}
