/** What is wrong with a policy, by the place in the configuration that has to change. */

export type ConfigPath = readonly (string | number)[];

export interface PolicyProblem {
  readonly path: ConfigPath;
  readonly message: string;
  /** A name that nothing has, and the names there are: for "did you mean". */
  readonly unknown?: { readonly word: string; readonly among: readonly string[] };
  /** True where the place meant is the key itself, not its value. */
  readonly atKey?: boolean;
}

/** Collects problems; one that many routes inherit is kept once. */
export class ProblemList {
  readonly #seen = new Set<string>();
  readonly #problems: PolicyProblem[] = [];

  add(path: ConfigPath, message: string, more: Pick<PolicyProblem, 'unknown' | 'atKey'> = {}): void {
    const key = `${showPath(path)} ${message}`;
    if (this.#seen.has(key)) return;
    this.#seen.add(key);
    this.#problems.push({ path, message, ...more });
  }

  /** Reports a name that is not among the known ones. */
  addUnknown(path: ConfigPath, what: string, word: string, among: readonly string[]): void {
    this.add(path, `unknown ${what} "${word}"`, { unknown: { word, among } });
  }

  get all(): readonly PolicyProblem[] {
    return this.#problems;
  }
}

/** `['routes', 0, 'scopes']` as `routes[0].scopes`. */
export function showPath(path: ConfigPath): string {
  let text = '';
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`;
    else if (!/^[\w-]+$/.test(step)) text += `[${JSON.stringify(step)}]`;
    else text += text === '' ? step : `.${step}`;
  }
  return text;
}
