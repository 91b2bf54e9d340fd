/** The rules about single files that no linter of ours has. Each takes a path and a text, and says what is wrong. */

export interface Rule {
  readonly name: string;
  /** Which paths it looks at. */
  readonly covers: RegExp;
  readonly except?: RegExp;
  /** Describes what breaks the rule, one finding each. */
  readonly findings: (text: string, path: string) => readonly string[];
}

const LINES_MAX = 350;
const SOURCE = /^(gateway|workers|sim|test|bench|grafana|examples)\/.*\.ts$/;
const THESE_RULES = /^test\/house\//;

function matches(pattern: RegExp): (text: string) => readonly string[] {
  return (text) => text.match(pattern) ?? [];
}

function pathMatches(pattern: RegExp): (text: string, path: string) => readonly string[] {
  return (_, path) => path.match(pattern) ?? [];
}

export const rules: readonly Rule[] = [
  {
    name: 'a file is named after a noun of its own',
    covers: SOURCE,
    findings: pathMatches(/\/(utils?|helpers?|common|misc|shared|index)(?=[./])/g),
  },
  { name: 'paths are kebab-case', covers: SOURCE, findings: pathMatches(/[^/]*[^a-z0-9./-][^/]*/g) },
  {
    name: `a file has at most ${String(LINES_MAX)} lines`,
    covers: SOURCE,
    findings: (text) => {
      const lines = text.trimEnd().split('\n').length;
      return lines > LINES_MAX ? [`${String(lines)} lines`] : [];
    },
  },
  {
    name: 'no file only passes on what others export',
    covers: SOURCE,
    findings: (text) => {
      const code = text.replaceAll(/\/\*[^]*?\*\/|\/\/.*/g, '').trim();
      const rest = code.replaceAll(/export\s+(type\s+)?(\*|\{[^}]*\})[^;]*?\sfrom\s+'[^']*';/g, '').trim();
      return code !== '' && rest === '' ? ['a barrel'] : matches(/^export \*.*/gm)(code);
    },
  },
  {
    name: 'nothing is exported as default',
    covers: SOURCE,
    findings: matches(/^export (default\b.*|\{.*\bas default\b.*)/gm),
  },
  {
    name: 'what is to be done is done, or is an issue',
    covers: /./,
    except: THESE_RULES,
    findings: matches(/\b(TODO|FIXME|XXX|HACK)\b/g),
  },
  {
    name: 'no path of one machine',
    covers: /./,
    except: THESE_RULES,
    findings: matches(/(?<![\w.])\/(work|root|home\/\w+|Users\/\w+|tmp\/\w+)(\/[^\s'"`)]*)/g),
  },
  {
    name: 'only cells touch Atomics',
    covers: /^(gateway|workers|examples)\/.*\.ts$/,
    // The log waits by it, on cells of nobody else.
    except: /^gateway\/(flight\/real-cells\.ts|listener\/ticket-ring\.ts|log\/logger\.ts|metrics\/)/,
    findings: matches(/\bAtomics\.\w+\(/g),
  },
  {
    name: 'no lint rule or type error is silenced for a whole file',
    covers: SOURCE,
    except: THESE_RULES,
    findings: matches(/@ts-nocheck|@ts-ignore|(oxlint|eslint)-disable (?=\*\/|[\w@/-]+ \*\/)/g),
  },
  {
    name: 'tests do not sleep',
    // A slow peer is made of waiting.
    covers: /^test\/(?!soak\/|hardening\/availability).*\.test\.ts$/,
    except: THESE_RULES,
    findings: matches(/setTimeout as .*timers\/promises|setTimeout\((resolve|done)\b.*/g),
  },
];

/** Applies one rule to one file. */
export function findings(rule: Rule, path: string, text: string): string[] {
  if (!rule.covers.test(path) || rule.except?.test(path) === true) return [];
  return rule.findings(text, path).map((finding) => `${path}: ${finding}`);
}
