/** Reads what the gateway makes new tokens of: exchanges of routes, renewals of issuers. */
import type { Names } from './vocabulary.ts';
import { accessOf } from './access.ts';
import { isPublic, issuersOf, nearest, type Chain } from './inherit.ts';
import type { Access, Renewal, TokenExchange } from './policy.ts';
import type { ConfigPath, ProblemList } from './problem.ts';
import type { IssuerSource, PolicySource } from './source.ts';

/** The bits of some types of an issuer; unknown ones have none. */
const bitsOf = (types: readonly string[], { tokenTypes }: IssuerSource): number =>
  (tokenTypes?.values ?? []).reduce((bits, type, i) => (types.includes(type) ? bits | (1 << i) : bits), 0);

function checkSigner(name: string, at: ConfigPath, source: PolicySource, problems: ProblemList): void {
  const signers = Object.keys(source.signers ?? {});
  if (!signers.includes(name)) problems.addUnknown([...at, 'signer'], 'signer', name, signers);
}

/** Null when the route exchanges nothing. */
export function exchangeOf(
  chain: Chain,
  isForwarded: boolean,
  source: PolicySource,
  problems: ProblemList,
): TokenExchange | null {
  const found = nearest(chain, (node) => node.exchange);
  if (found === null) return null;
  const { signer, from, to, header } = found.value;
  const at = [...found.at, 'exchange'];
  checkSigner(signer, at, source, problems);
  if (isPublic(chain) || !isForwarded) {
    const reason = isForwarded
      ? 'a public route has no token that could be exchanged'
      : 'tokens are exchanged when an upstream answers: the route has none';
    problems.add(at, reason, { atKey: true });
    return null;
  }
  const names = issuersOf(chain) ?? Object.keys(source.issuers);
  const issuers = names.flatMap((name) => source.issuers[name] ?? []);
  const known = issuers.flatMap(({ tokenTypes }) => tokenTypes?.values ?? []);
  for (const [index, type] of from.entries()) {
    if (!known.includes(type)) problems.addUnknown([...at, 'from', index], 'token type', type, known);
  }
  if (!known.includes(to)) problems.addUnknown([...at, 'to'], 'token type', to, known);
  const all = Object.entries(source.issuers);
  return {
    signer,
    header,
    to,
    from: all.map(([name, issuer]) => (names.includes(name) ? bitsOf(from, issuer) : 0)),
    typeClaims: all.map(([, issuer]) => issuer.tokenTypes?.claim ?? ''),
  };
}

/** A renewal before audiences have bits. */
export type RenewalDraft = Omit<Renewal, 'access'>;

/** By issuer; null where tokens are not renewed. */
export function renewalsOf(source: PolicySource, problems: ProblemList): (RenewalDraft | null)[] {
  return Object.entries(source.issuers).map(([name, issuer]): RenewalDraft | null => {
    const { renewal } = issuer;
    if (renewal === undefined) return null;
    const at = ['issuers', name, 'renewal'];
    checkSigner(renewal.signer, at, source, problems);
    const known = issuer.tokenTypes?.values ?? [];
    for (const [index, type] of renewal.exceptTypes.entries()) {
      if (!known.includes(type))
        problems.addUnknown([...at, 'except_types', index], 'token type', type, known);
    }
    return {
      signer: renewal.signer,
      header: renewal.header,
      exceptTypes: bitsOf(renewal.exceptTypes, issuer),
      share: renewal.sharePercent / 100,
      floorSeconds: renewal.floorSeconds,
      onAllAnswers: renewal.answers === 'all',
      totalAgeSecondsMax: renewal.maxTotalAgeSeconds ?? null,
      stopHeader: renewal.stopHeader ?? null,
    };
  });
}

/** The access of tokens that are renewed where no route asks for one: whatever their issuer and its audiences say. */
export function renewalAccessOf(name: string, source: PolicySource, scopes: Names, audiences: Names): Access {
  const own = source.issuers[name]!.audiences;
  const named = {
    issuers: new Set([name]),
    audiences: new Map([[name, own.length === 0 ? null : own]]),
    tokenTypes: new Map<string, number>(),
    all: [],
    any: [],
    claims: [],
    subjectParam: -1,
    subjectDetail: null,
    certificateBound: false,
  };
  return accessOf(named, source, scopes, audiences);
}
