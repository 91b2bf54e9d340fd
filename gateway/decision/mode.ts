/**
 * Who asks for decisions, and how each of them says which request it means. The mode of a mount is fixed by configuration:
 * fields of another mode are not looked at, so that a caller behind a proxy cannot bring a second question along.
 */

/** `batch`: a program that asks about many requests at once. */
export const decisionModes = ['nginx', 'caddy', 'traefik', 'envoy', 'haproxy', 'batch'] as const;
export type DecisionMode = (typeof decisionModes)[number];
export type ProxyMode = Exclude<DecisionMode, 'batch'>;

/** What becomes of a question. `refused`: it was not answered, because it was malformed or from somebody else. */
export const decisionOutcomes = ['allowed', 'denied', 'failed', 'refused'] as const;
export type DecisionOutcome = (typeof decisionOutcomes)[number];

/** The fields, in lower case, that carry the method and the target of the request that is asked about. */
export interface QuestionFields {
  readonly method: string;
  readonly target: string;
}

const forwarded: QuestionFields = { method: 'x-forwarded-method', target: 'x-forwarded-uri' };
const original: QuestionFields = { method: 'x-original-method', target: 'x-original-uri' };

/** Null where the question is the request itself, below the path of the mount (Envoy: `path_prefix`). */
export const questionFields: Readonly<Record<ProxyMode, QuestionFields | null>> = {
  nginx: original,
  haproxy: original,
  caddy: forwarded,
  traefik: forwarded,
  envoy: null,
};

/** Where a mount is unless it says otherwise. */
export const defaultMountPath = (mode: DecisionMode): string => `/-/decide/${mode}`;
