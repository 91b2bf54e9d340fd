/** What a comparison of two configurations finds. */
import type { ConfigPath } from '../route/problem.ts';

/**
 * `loosened`: some request is accepted now that was refused before. `tightened`: the other way around. `changed`: who is
 * accepted is the same, what happens then is not.
 */
export const effects = ['loosened', 'tightened', 'changed'] as const;
export type Effect = (typeof effects)[number];

/** The part of a change that is the same for whatever it was found in. */
export interface Finding {
  readonly effect: Effect;
  /** The setting, as the configuration spells it. */
  readonly setting: string;
  readonly detail: string;
}

export interface Change extends Finding {
  /** What it is about: `GET /orders/{id}`, `issuers.main`, `listener`. */
  readonly subject: string;
  /** Places in the old and in the new configuration; null where there is none. */
  readonly old: ConfigPath | null;
  readonly new: ConfigPath | null;
}

export const changeOf = (
  { effect, setting, detail }: Finding,
  subject: string,
  old: ConfigPath | null,
  now: ConfigPath | null,
): Change => ({ effect, subject, setting, detail, old, new: now });

export const loosened = (setting: string, detail: string): Finding => ({
  effect: 'loosened',
  setting,
  detail,
});
export const tightened = (setting: string, detail: string): Finding => ({
  effect: 'tightened',
  setting,
  detail,
});
export const changed = (setting: string, detail: string): Finding => ({ effect: 'changed', setting, detail });

/** Compares a limit: what is above it is refused. */
export function compareLimits(setting: string, old: number, now: number): readonly Finding[] {
  if (old === now) return [];
  const show = (limit: number): string => (limit === Infinity ? 'no limit' : String(limit));
  return [(now > old ? loosened : tightened)(setting, `${show(old)} became ${show(now)}`)];
}

/** Compares a set of what is accepted; null accepts everything. */
export function compareAccepted(
  setting: string,
  old: readonly string[] | null,
  now: readonly string[] | null,
): readonly Finding[] {
  if (old === null && now === null) return [];
  if (now === null) return [loosened(setting, `anything is accepted; before: ${old!.join(', ')}`)];
  if (old === null) return [tightened(setting, `only ${now.join(', ')}; before: anything`)];
  const added = now.filter((name) => !old.includes(name));
  const gone = old.filter((name) => !now.includes(name));
  return [
    ...(added.length === 0 ? [] : [loosened(setting, `${added.join(', ')} added`)]),
    ...(gone.length === 0 ? [] : [tightened(setting, `${gone.join(', ')} taken out`)]),
  ];
}

/** Compares a set of what is required. */
export function compareRequired(
  setting: string,
  old: readonly string[],
  now: readonly string[],
): readonly Finding[] {
  const gone = old.filter((name) => !now.includes(name));
  const added = now.filter((name) => !old.includes(name));
  return [
    ...(gone.length === 0 ? [] : [loosened(setting, `${gone.join(', ')} no longer required`)]),
    ...(added.length === 0 ? [] : [tightened(setting, `${added.join(', ')} required`)]),
  ];
}
