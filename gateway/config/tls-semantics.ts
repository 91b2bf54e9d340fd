/** What the certificates of the listener, and those that callers show, mean together with the rest. */
import type { ConfigPath, ProblemList } from '../route/problem.ts';
import type { RouteNode } from './route-schema.ts';
import type { Config } from './schema.ts';

export function checkTls(config: Config, problems: ProblemList): void {
  checkServerNames(config, problems);
  checkBelieved(config, problems);
  checkBound(config, problems);
}

/** A server name has one certificate. */
function checkServerNames({ listener }: Config, problems: ProblemList): void {
  const seen = new Set<string>();
  for (const [index, { names }] of (listener.tls?.certificates ?? []).entries()) {
    for (const [position, name] of (names ?? []).entries()) {
      const at = ['listener', 'tls', 'certificates', index, 'names', position];
      if (seen.has(name)) problems.add(at, `"${name}" is the name of a certificate already`);
      seen.add(name);
    }
  }
}

/** A field that nobody may send is a mistake. */
function checkBelieved({ listener, decision }: Config, problems: ProblemList): void {
  if (!listener.trustClientCert || listener.trustedProxies.length > 0 || decision?.peers !== undefined)
    return;
  problems.add(
    ['listener', 'trust_client_cert'],
    'whose Client-Cert is believed? Give `trusted_proxies`, or `peers` of the section `decision`',
  );
}

/** Where nobody is asked for a certificate, no bound token can pass. */
function checkBound({ listener, issuers, routes }: Config, problems: ProblemList): void {
  if (listener.trustClientCert || listener.tls?.clientCertificates !== undefined) return;
  const refuse = (at: ConfigPath): void =>
    problems.add(
      [...at, 'certificate_bound'],
      'no token can pass: callers are asked for no certificate; give `listener.tls.client_certificates`, or `listener.trust_client_cert`',
    );
  for (const [name, { certificateBound }] of Object.entries(issuers))
    if (certificateBound) refuse(['issuers', name]);
  const visit = (nodes: readonly RouteNode[], at: ConfigPath): void => {
    for (const [index, { certificateBound, routes: below }] of nodes.entries()) {
      if (certificateBound === true) refuse([...at, index]);
      visit(below ?? [], [...at, index, 'routes']);
    }
  };
  visit(routes, ['routes']);
}
