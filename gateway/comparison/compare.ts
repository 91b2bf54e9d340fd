/**
 * Compares two configurations by what they accept, not by their text: for every class of paths and every method, the route
 * that the old one takes with the route that the new one takes.
 *
 * Called by `sallyport diff`. Sound for loosening: a request that the new one permits and the old one refuses is among what
 * is told. Not told: what a token, a key set or a stored login holds.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Config } from '../config/schema.ts';
import { methods } from '../core/methods.ts';
import { isDenial } from '../core/verdict.ts';
import { compileMatcher, type Matcher } from '../route/match.ts';
import { readTarget } from '../route/path.ts';
import type { Policy, Route } from '../route/policy.ts';
import type { ConfigPath } from '../route/problem.ts';
import type { Side } from './side.ts';
import {
  changed,
  changeOf,
  compareLimits,
  effects,
  loosened,
  tightened,
  type Change,
  type Finding,
} from './change.ts';
import { compareIssuers } from './issuer.ts';
import { pathClasses } from './path-classes.ts';
import { answererOf, compareRoutes } from './route.ts';

/** In the order of their effects, what loosens first. */
export function compareConfigs(old: Side, now: Side): readonly Change[] {
  const changes = [
    ...changesOfRoutes(old, now),
    ...changesOfIssuers(old, now),
    ...changesOfSections(old, now),
  ];
  return effects.flatMap((effect) => changes.filter((change) => change.effect === effect));
}

// ---------------------------------------------------------------- routes

/** Two routes, either of which may be none, and the methods of the paths that both take. */
interface Meeting {
  readonly old: Route | null;
  readonly new: Route | null;
  readonly methods: Set<string>;
  /** One path of them. */
  readonly path: string;
}

function changesOfRoutes(old: Side, now: Side): readonly Change[] {
  return meetings(old.policy, now.policy).flatMap((meeting): Change[] => {
    const findings = compareMeeting(meeting, old, now);
    if (findings.length === 0) return [];
    const route = (meeting.new ?? meeting.old)!;
    const which = meeting.methods.size === methods.length ? '*' : [...meeting.methods].join(',');
    const subject = `${which} ${route.pattern}`;
    const places = [meeting.old?.origin.at ?? null, meeting.new?.origin.at ?? null] as const;
    return findings.map((finding) => changeOf(finding, subject, ...places));
  });
}

function meetings(old: Policy, now: Policy): readonly Meeting[] {
  const found = new Map<string, Meeting>();
  const [before, after] = [compileMatcher(old), compileMatcher(now)];
  const patterns = [...old.routes, ...now.routes].map(({ pattern }) => pattern);
  for (const path of pathClasses([
    ...patterns,
    ...[...old.closed, ...now.closed].map(({ pattern }) => pattern),
  ])) {
    for (const [index, method] of methods.entries()) {
      const one = routeOf(before, path, index);
      const other = routeOf(after, path, index);
      if (one === null && other === null) continue;
      const key = `${one?.index ?? ''}:${other?.index ?? ''}`;
      let meeting = found.get(key);
      if (meeting === undefined) {
        meeting = { old: one, new: other, methods: new Set(), path };
        found.set(key, meeting);
      }
      meeting.methods.add(method);
    }
  }
  return [...found.values()];
}

/** The route that serves a path; null also where it refuses the path's form. */
function routeOf(matcher: Matcher, path: string, method: number): Route | null {
  const target = readTarget(path, Infinity);
  const route = matcher.match(path, method);
  if (route === null || isDenial(target)) return null;
  return (target.oddities & ~route.pathAllowance) === 0 ? route : null;
}

function compareMeeting(meeting: Meeting, old: Side, now: Side): readonly Finding[] {
  if (meeting.old === null) {
    const open = meeting.new!.access === null ? ', without a token' : '';
    return [loosened('routes', `${meeting.path} is served now${open}, by ${answererOf(meeting.new!)}`)];
  }
  if (meeting.new === null) return [tightened('routes', `${meeting.path} is no longer served`)];
  return compareRoutes({ ...old, route: meeting.old }, { ...now, route: meeting.new });
}

// ---------------------------------------------------------------- issuers

function changesOfIssuers(old: Side, now: Side): readonly Change[] {
  const isUsed = ({ policy }: Side, index: number): boolean =>
    policy.routes.some(({ access }) => access?.issuers[index] === true);
  const former = Object.entries(old.config.issuers);
  return Object.entries(now.config.issuers).flatMap(([name, issuer], index): Change[] => {
    if (!isUsed(now, index)) return [];
    const at = (side: string): ConfigPath => ['issuers', side];
    const taken = former.filter(([, { issuer: iss }]) => iss !== undefined && !hasIssuer(now.config, iss));
    const twin = former.find(([, { issuer: iss }]) => iss === issuer.issuer);
    const subject = `issuers.${name}`;
    const inherits =
      issuer.issuer === undefined && taken.length > 0
        ? [loosened('issuer', `takes the tokens of ${taken.map(([other]) => other).join(', ')} as well`)]
        : [];
    const findings = [...inherits, ...(twin === undefined ? [] : compareIssuers(twin[1], issuer))];
    const place = twin === undefined ? null : at(twin[0]);
    return findings.map((finding) => changeOf(finding, subject, place, at(name)));
  });
}

const hasIssuer = ({ issuers }: Config, iss: string): boolean =>
  Object.values(issuers).some(({ issuer }) => issuer === iss);

// ---------------------------------------------------------------- the rest

type Compare = (old: Side, now: Side) => readonly Finding[];

const compared: Compare = () => [];
const asOne =
  (section: keyof Config, setting: string): Compare =>
  (old, now) =>
    isDeepStrictEqual(old.config[section], now.config[section]) ? [] : [changed(setting, 'is another')];

const nobodyAsks: NonNullable<Config['decision']> = { peers: [], cacheMaxSeconds: 0, mounts: [] };

/** Every section has its way of being compared: a new one does not compile before it has. */
const compareSection: Readonly<Record<keyof Config, Compare>> = {
  version: compared,
  routes: compared,
  issuers: compared,
  // What a scope grants is part of what routes ask for.
  scopes: compared,
  identityHeaders: ({ policy: old }, { policy: now }) =>
    compareTrust('identity_headers', [...now.identityHeaders], [...old.identityHeaders]),
  listener: ({ config: { listener: old } }, { config: { listener: now } }) => {
    const findings = [
      ...compareLimits('max_header_bytes', old.maxHeaderBytes, now.maxHeaderBytes),
      ...compareLimits('max_header_count', old.maxHeaderCount, now.maxHeaderCount),
      ...compareLimits('max_target_bytes', old.maxTargetBytes, now.maxTargetBytes),
      ...compareTrust('trusted_proxies', old.trustedProxies, now.trustedProxies),
      ...compareTrust('trust_client_cert', believed(old), believed(now)),
    ];
    const isOther = findings.length === 0 && !isDeepStrictEqual(old, now);
    return isOther ? [changed('listener', 'is another')] : findings;
  },
  accessHooks: ({ config: { accessHooks: old } }, { config: { accessHooks: now } }) =>
    // One that is new is asked by routes that did not ask it, which is compared there.
    Object.entries(now).flatMap(([name, hook]) =>
      old[name] === undefined ? [] : compareHooks(name, old[name], hook),
    ),
  decision: ({ config: old }, { config: now }) => {
    const before = old.decision ?? nobodyAsks;
    const after = now.decision ?? nobodyAsks;
    const findings = [
      ...compareTrust(
        'peers',
        before.peers ?? old.listener.trustedProxies,
        after.peers ?? now.listener.trustedProxies,
      ),
      ...compareLimits('cache_max_seconds', before.cacheMaxSeconds, after.cacheMaxSeconds),
    ];
    const isOther = findings.length === 0 && !isDeepStrictEqual(before, after);
    return isOther ? [changed('decision', 'is another')] : findings;
  },
  // Routes and the listener name them, and are compared.
  errorProfiles: compared,
  signers: ({ config: { signers: old } }, { config: { signers: now } }) => {
    const findings = Object.entries(now).flatMap(([name, { lifetimeSeconds }]) =>
      compareLimits(`${name}.lifetime_seconds`, old[name]?.lifetimeSeconds ?? 0, lifetimeSeconds),
    );
    const isOther = findings.length === 0 && !isDeepStrictEqual(old, now);
    return isOther ? [changed('signers', 'are others')] : findings;
  },
  upstreams: asOne('upstreams', 'upstreams'),
  openapi: asOne('openapi', 'openapi'),
  oauth: asOne('oauth', 'oauth'),
  verifier: asOne('verifier', 'verifier'),
  admin: asOne('admin', 'admin'),
  shutdown: asOne('shutdown', 'shutdown'),
  log: asOne('log', 'log'),
  metrics: asOne('metrics', 'metrics'),
  tracing: asOne('tracing', 'tracing'),
};

const believed = ({ trustClientCert }: Config['listener']): readonly string[] =>
  trustClientCert ? ['Client-Cert'] : [];

type Hook = Config['accessHooks'][string];

function compareHooks(name: string, old: Hook, now: Hook): readonly Finding[] {
  if (isDeepStrictEqual(old, now)) return [];
  const findings = [
    ...(old.url === now.url ? [] : [loosened(`${name}.url`, 'the hook is elsewhere')]),
    ...compareLimits(`${name}.allowed_seconds`, old.allowedSeconds, now.allowedSeconds),
  ];
  return findings.length > 0 ? findings : [changed(name, 'is asked otherwise')];
}

/** Compares what is believed of a peer, or from whom. */
function compareTrust(setting: string, old: readonly string[], now: readonly string[]): readonly Finding[] {
  const added = now.filter((peer) => !old.includes(peer));
  const gone = old.filter((peer) => !now.includes(peer));
  return [
    ...(added.length === 0 ? [] : [loosened(setting, `${added.join(', ')} is believed`)]),
    ...(gone.length === 0 ? [] : [tightened(setting, `${gone.join(', ')} is no longer believed`)]),
  ];
}

function changesOfSections(old: Side, now: Side): readonly Change[] {
  return Object.entries(compareSection).flatMap(([section, compare]) => {
    const subject = section.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
    const placeIn = ({ config }: Side) => (Object.hasOwn(config, section) ? [subject] : null);
    return compare(old, now).map((finding) => changeOf(finding, subject, placeIn(old), placeIn(now)));
  });
}
