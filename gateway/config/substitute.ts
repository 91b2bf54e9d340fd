/**
 * `${env:NAME:-default}` in values: the OpenTelemetry configuration grammar, with `${NAME:?message}` beside it.
 * `env:` may be left out; `$$` is a dollar sign. A variable that is set but empty takes the default.
 */

export type Environment = Readonly<Record<string, string | undefined>>;

export type Substitution =
  | { readonly ok: true; readonly text: string; readonly fromEnvironment: boolean }
  | { readonly ok: false; readonly message: string };

const part = /\$\$|\$\{([^{}]*)\}|\$\{/g;
const reference = /^(?:env:)?([A-Za-z_]\w*)(?::(-|\?)([\s\S]*))?$/;

/** Substitutes all references in one scalar; the text that comes out is not looked at again. */
export function substitute(source: string, env: Environment): Substitution {
  let failure: string | null = null;
  let fromEnvironment = false;
  const text = source.replaceAll(part, (match, inner: string | undefined) => {
    if (match === '$$') return '$';
    const result = inner === undefined ? unclosed : valueOf(inner, env);
    if (!result.ok) {
      failure ??= result.message;
      return '';
    }
    fromEnvironment = true;
    return result.text;
  });
  return failure === null ? { ok: true, text, fromEnvironment } : { ok: false, message: failure };
}

const unclosed = {
  ok: false,
  message: 'a "${" without its "}"; a dollar sign before a brace is written "$$"',
} as const;

function valueOf(
  inner: string,
  env: Environment,
): { ok: true; text: string } | { ok: false; message: string } {
  const [, name, operator, operand = ''] = reference.exec(inner) ?? [];
  if (name === undefined) {
    return {
      ok: false,
      message: `"\${${inner}}" is not of the form \${env:NAME}, \${env:NAME:-default} or \${env:NAME:?message}`,
    };
  }
  const value = Object.hasOwn(env, name) ? env[name] : undefined;
  if (value !== undefined && (value !== '' || operator === undefined)) return { ok: true, text: value };
  if (operator === '-') return { ok: true, text: operand };
  const state = value === undefined ? 'is not set' : 'is empty';
  if (operator === '?')
    return {
      ok: false,
      message: `the environment variable ${name} ${state}: ${operand || 'it is required'}`,
    };
  return {
    ok: false,
    message: `the environment variable ${name} ${state}; set it, or give a default: \${env:${name}:-…}`,
  };
}

/** A substituted text as YAML would read it plain: numbers and booleans are typed, all else is text. */
export function retyped(text: string): string | number | boolean {
  if (/^[-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?$/.test(text)) return Number(text);
  if (/^(?:true|True|TRUE)$/.test(text)) return true;
  if (/^(?:false|False|FALSE)$/.test(text)) return false;
  return text;
}
