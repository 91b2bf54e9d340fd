import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const FOLDER = new URL('../../gateway/flight/', import.meta.url);

interface Rule {
  readonly what: string;
  readonly pattern: RegExp;
  /** The files whose purpose it is. */
  readonly except: readonly string[];
}

const RULES: readonly Rule[] = [
  { what: 'Atomics', pattern: /\bAtomics\s*[.[]/, except: ['real-cells.ts'] },
  {
    what: 'a view of shared memory',
    pattern: /\bnew\s+(BigInt64Array|BigUint64Array|Int32Array|Uint32Array|SharedArrayBuffer)\b/,
    except: ['real-cells.ts'],
  },
  { what: 'a clock', pattern: /\b(Date|performance|process)\s*[.(]/, except: ['real-cells.ts'] },
  {
    what: 'a timer',
    pattern: /\b(setTimeout|setInterval|setImmediate|queueMicrotask)\s*\(/,
    except: ['timers.ts'],
  },
  {
    what: 'randomness',
    pattern: /\bMath\s*\.\s*random\b|\brandomBytes\b|\brandomUUID\b/,
    except: ['digest.ts'],
  },
  { what: 'a module of the platform', pattern: /from\s+'node:/, except: ['digest.ts'] },
];

/** The files whose functions a simulator re-executes: they may not swallow its suspension. */
const REEXECUTED = ['binding.ts', 'slot.ts', 'payload.ts', 'reaper.ts', 'control-word.ts', 'layout.ts'];

function withoutComments(source: string): string {
  return source.replace(/\/\*[\s\S]*?\*\//g, '').replace(/\/\/.*$/gm, '');
}

function offences(name: string, source: string): string[] {
  const code = withoutComments(source);
  const found = RULES.filter((rule) => !rule.except.includes(name) && rule.pattern.test(code)).map(
    (rule) => rule.what,
  );
  if (REEXECUTED.includes(name) && /\b(catch|async|await|class)\b/.test(code)) {
    found.push('catch, async or a class in an operation');
  }
  return found;
}

describe('the flight table reaches the world through its doors only', () => {
  const files = readdirSync(FOLDER).filter((name) => name.endsWith('.ts'));

  it.each(files)('%s', (name) => {
    expect(offences(name, readFileSync(new URL(name, FOLDER), 'utf8'))).toEqual([]);
  });

  it.each([
    ['Atomics', 'slot.ts', 'export const f = (v) => Atomics.load(v, 0);'],
    ['a view of shared memory', 'payload.ts', 'const view = new BigInt64Array(buffer); view[0] = 1n;'],
    ['a clock', 'start.ts', 'const now = Date.now();'],
    ['a clock', 'waiters.ts', 'const now = performance.now();'],
    ['a timer', 'stage.ts', 'setTimeout(() => {}, 1);'],
    ['randomness', 'slot.ts', 'if (Math.random() < 0.5) return;'],
    ['a module of the platform', 'table.ts', "import { Worker } from 'node:worker_threads';"],
    ['catch, async or a class in an operation', 'slot.ts', 'try { cells.load(0); } catch { return null; }'],
  ])('finds %s planted in %s', (what, name, planted) => {
    const source = readFileSync(new URL(name, FOLDER), 'utf8');
    expect(offences(name, `${source}\n${planted}\n`)).toContain(what);
  });

  it('covers every file whose functions are re-executed', () => {
    for (const name of REEXECUTED) expect(files).toContain(name);
  });
});
