/** The decision endpoints of one configuration: where they are, who may ask, and which answers each asker can take. */
import type { Refusal } from '../core/errors.ts';
import { statusIn } from '../route/error-profile.ts';
import type { Policy } from '../route/policy.ts';
import type { ErrorProfile } from '../route/source.ts';
import { ownedFields } from './answer.ts';
import { type DecisionMode, defaultMountPath } from './mode.ts';

export interface MountSource {
  readonly mode: DecisionMode;
  readonly path?: string | undefined;
  readonly unmatched?: 403 | 404 | undefined;
}

export interface DecisionSource {
  readonly cacheMaxSeconds: number;
  readonly mounts: readonly MountSource[];
}

export interface DecisionMount {
  readonly mode: DecisionMode;
  readonly path: string;
  /** Answer about a path or method that no route has. */
  readonly unmatched: 403 | 404;
}

/** nginx takes 401 and 403 for a denial, and everything else for a failure (ngx_http_auth_request_module). */
export const unmatchedOf = ({ mode, unmatched }: MountSource): 403 | 404 =>
  unmatched ?? (mode === 'nginx' ? 403 : 404);

export function mountsOf({ mounts }: Pick<DecisionSource, 'mounts'>): readonly DecisionMount[] {
  return mounts.map((mount) => ({
    mode: mount.mode,
    path: mount.path ?? defaultMountPath(mount.mode),
    unmatched: unmatchedOf(mount),
  }));
}

export class DecisionMounts {
  readonly cacheMaxSeconds: number;
  /** May this address ask? */
  readonly isPeer: (address: string) => boolean;
  readonly owned: readonly string[];
  readonly #exact = new Map<string, DecisionMount>();
  /** Mounts that have questions below their path, with a slash at its end. */
  readonly #prefixes: (readonly [prefix: string, mount: DecisionMount])[] = [];

  constructor(source: DecisionSource, isPeer: (address: string) => boolean, policy: Policy) {
    this.cacheMaxSeconds = source.cacheMaxSeconds;
    this.owned = ownedFields(policy);
    this.isPeer = isPeer;
    for (const mount of mountsOf(source)) {
      if (mount.mode === 'envoy') this.#prefixes.push([`${mount.path}/`, mount]);
      else this.#exact.set(mount.path, mount);
    }
  }

  /** The mount that a raw path asks, or null. */
  find(path: string): DecisionMount | null {
    const exact = this.#exact.get(path);
    if (exact !== undefined) return exact;
    for (const [prefix, mount] of this.#prefixes) if (path.startsWith(prefix)) return mount;
    return null;
  }
}

/**
 * The status of a denial as its asker can take it: that of the profile, where it is one. What failed on our side is 503,
 * whatever it would be elsewhere; what is wrong with the request asked about is told as itself where that is understood, else as 403.
 */
export function statusFor(
  { mode, unmatched }: DecisionMount,
  refusal: Refusal,
  profile: ErrorProfile,
): number {
  const { code, source } = refusal;
  const status = statusIn(profile, refusal);
  if (source === 'gateway' || source === 'upstream') return 503;
  if (status === 401 || status === 403) return status;
  // Envoy takes a 5xx for a failure of ours.
  if (mode === 'nginx' || status >= 500) return 403;
  const isUnmatched = code === 'route_not_found' || code === 'method_not_allowed';
  return isUnmatched && unmatched === 403 ? 403 : status;
}
