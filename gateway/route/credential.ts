/** Reads which stored credential a route sends to its upstream in place of the caller's token. */
import { type Chain, isPublic, nearest } from './inherit.ts';
import type { Projections } from './forwarding.ts';
import type { CredentialUse, Forwarding } from './policy.ts';
import type { ProblemList } from './problem.ts';
import type { PolicySource } from './source.ts';

export function credentialOf(
  chain: Chain,
  forwarding: Forwarding,
  source: PolicySource,
  projections: Projections,
  problems: ProblemList,
): CredentialUse | null {
  const found = nearest(chain, (node) => node.credential);
  if (found === null) return null;
  const { provider, account } = found.value;
  const at = [...found.at, 'credential'];
  const providers = Object.keys(source.oauth?.providers ?? {});
  if (!providers.includes(provider)) {
    problems.addUnknown([...at, 'provider'], 'provider', provider, providers);
  }
  if (forwarding.authorization || forwarding.set.includes('authorization')) {
    problems.add(at, 'the Authorization field is made of the credential already: leave it out of `forward`', {
      atKey: true,
    });
  }
  if (typeof account === 'string') return { provider, account: { kind: 'fixed', name: account } };
  if (isPublic(chain)) {
    problems.add(at, 'whose credential is it? A public route has no token: give `account` a name', {
      atKey: true,
    });
  }
  if (account === undefined) return { provider, account: { kind: 'subject' } };
  return { provider, account: { kind: 'claim', projection: projections.add(account.claim) } };
}
