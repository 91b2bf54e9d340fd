/** Problems of a configuration file, with their place, and the ways to print them. */

export interface Place {
  readonly file: string;
  /** From 1; 0 when the file as a whole is meant. */
  readonly line: number;
  readonly column: number;
}

export interface Problem extends Place {
  /** Place within the configuration, e.g. `routes[0].scopes`; empty for the file. */
  readonly path: string;
  readonly message: string;
  /** The source line and how many of its characters are meant. Source only: nothing substituted is in it. */
  readonly excerpt: { readonly text: string; readonly width: number } | null;
}

/** `file:line:col: path: message`, without what is not known. */
export function headline({ file, line, column, path, message }: Problem): string {
  const place = line === 0 ? file : `${file}:${line}:${column}`;
  return path === '' ? `${place}: ${message}` : `${place}: ${path}: ${message}`;
}

/** For people: each problem with its source line and a caret. */
export function formatProblems(problems: readonly Problem[]): string {
  return problems.map((problem) => `${headline(problem)}\n${excerptOf(problem)}`).join('');
}

const excerptWidthMax = 120;

function excerptOf({ line, column, excerpt }: Problem): string {
  if (excerpt === null) return '';
  const gutter = String(line).padStart(5);
  // A long line is shown around the place; tabs keep their width in the line below.
  const from = Math.max(0, column - 1 - excerptWidthMax / 2);
  const text = excerpt.text.slice(from, from + excerptWidthMax);
  const before = text.slice(0, column - 1 - from).replaceAll(/[^\t]/g, ' ');
  const carets = '^'.repeat(Math.max(1, Math.min(excerpt.width, text.length - before.length)));
  return `${gutter} | ${text}\n${' '.repeat(gutter.length)} | ${before}${carets}\n`;
}

/** For programs. `version` changes with the shape. */
export function problemsAsJson(
  file: string,
  problems: readonly Problem[],
  warnings: readonly Problem[],
): string {
  const plain = ({ line, column, path, message }: Problem) => ({ line, column, path, message });
  const report = {
    version: 1,
    file,
    ok: problems.length === 0,
    problems: problems.map(plain),
    warnings: warnings.map(plain),
  };
  return `${JSON.stringify(report, null, 2)}\n`;
}

/** For GitHub Actions: workflow commands that mark the lines of a change. */
export function problemsAsGithub(problems: readonly Problem[], severity: 'error' | 'warning'): string {
  const data = (text: string) => text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
  const property = (text: string) => data(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
  return problems
    .map(({ file, line, column, path, message }) => {
      const place = line === 0 ? '' : `,line=${line},col=${column}`;
      return `::${severity} file=${property(file)}${place}::${data(path === '' ? message : `${path}: ${message}`)}\n`;
    })
    .join('');
}
