/** Compares what two routes ask of a token, on paths that both of them match. */
import type { Access, Route } from '../route/policy.ts';
import { namesIn } from '../route/vocabulary.ts';
import { compareClaims } from './claims.ts';
import { changed, compareAccepted, loosened, tightened, type Finding } from './change.ts';
import { compareScopes, scopeRequirement } from './scopes.ts';
import type { ProtectedSide } from './side.ts';

type Compare = (old: ProtectedSide, now: ProtectedSide) => readonly Finding[];

/** Every member has its way of being compared: a new one does not compile before it has. */
const compareMember: Readonly<Record<keyof Access, Compare>> = {
  issuers: (old, now) => {
    const before = acceptedIssuers(old);
    const after = acceptedIssuers(now);
    return compareAccepted('issuers', [...before.keys()], [...after.keys()]);
  },
  audiences: (old, now) =>
    ofBothIssuers(old, now, (before, after) =>
      compareAccepted('audiences', audiencesOf(old, before), audiencesOf(now, after)),
    ),
  tokenTypes: (old, now) =>
    ofBothIssuers(old, now, (before, after) =>
      compareAccepted('token_types', typesOf(old, before), typesOf(now, after)),
    ),
  // Of the issuer, and compared there.
  leewaySeconds: () => [],
  certificateBound: (old, now) =>
    ofBothIssuers(old, now, (before, after) => {
      const isBound = now.access.certificateBound[after] === true;
      if ((old.access.certificateBound[before] === true) === isBound) return [];
      return [
        isBound
          ? tightened('certificate_bound', 'tokens must be bound to a client certificate')
          : loosened('certificate_bound', 'tokens need not be bound to a client certificate'),
      ];
    }),
  all: (old, now) =>
    compareScopes(
      scopeRequirement(old.access, old.policy.vocabulary),
      scopeRequirement(now.access, now.policy.vocabulary),
    ),
  // Together with `all`.
  any: () => [],
  subjectParam: compareSubject,
  claims: compareClaims,
  subjectDetail: ({ access: old }, { access: now }) =>
    old.subjectDetail === now.subjectDetail ? [] : [changed('subject', 'its refusal has other words')],
  challengeScope: (old, now) => {
    const words = ({ access }: ProtectedSide): string =>
      access.challengeScope.split(' ').toSorted().join(' ');
    return words(old) === words(now) ? [] : [changed('scopes', 'the challenge names other scopes')];
  },
};

export function compareAccess(old: ProtectedSide, now: ProtectedSide): readonly Finding[] {
  return Object.values(compareMember).flatMap((compare) => compare(old, now));
}

/** Indexes of the accepted issuers by `iss`: names are the file's own affair. The one without `iss` is `*`. */
function acceptedIssuers({ access, config, policy }: ProtectedSide): ReadonlyMap<string, number> {
  const accepted = policy.vocabulary.issuers.flatMap((name, index): [string, number][] =>
    access.issuers[index] === true ? [[config.issuers[name]?.issuer ?? '*', index]] : [],
  );
  return new Map(accepted);
}

function ofBothIssuers(
  old: ProtectedSide,
  now: ProtectedSide,
  compare: (before: number, after: number) => readonly Finding[],
): readonly Finding[] {
  const before = acceptedIssuers(old);
  return [...acceptedIssuers(now)].flatMap(([iss, index]) => {
    const former = before.get(iss);
    return former === undefined ? [] : compare(former, index);
  });
}

function audiencesOf({ access, policy }: ProtectedSide, issuer: number): readonly string[] | null {
  const accepted = access.audiences[issuer] ?? null;
  return accepted === null ? null : namesIn(accepted, policy.vocabulary.audiences);
}

/** The accepted types by name, and whether a token that does not say its type passes. */
function typesOf({ access, config, policy }: ProtectedSide, issuer: number): readonly string[] | null {
  const types = config.issuers[policy.vocabulary.issuers[issuer]!]?.tokenTypes;
  const bits = access.tokenTypes[issuer] ?? 0;
  if (types === undefined || bits === 0) return null;
  const accepted = types.values.filter((_, bit) => (bits & (1 << bit)) !== 0);
  return accepted.includes(types.default) ? [...accepted, '(tokens without a type)'] : accepted;
}

function compareSubject(old: ProtectedSide, now: ProtectedSide): readonly Finding[] {
  const before = boundParam(old);
  const after = boundParam(now);
  if (before === null && after === null) return [];
  if (after === null) return [loosened('subject', `{${before!.name}} need no longer be the subject`)];
  if (before === null) return [tightened('subject', `{${after.name}} must be the subject`)];
  if (before.first === after.first && before.last === after.last) return [];
  return [loosened('subject', `{${after.name}} must be the subject; before it was {${before.name}}`)];
}

function boundParam({ access, route }: ProtectedSide): Route['params'][number] | null {
  return access.subjectParam === -1 ? null : route.params[access.subjectParam]!;
}
