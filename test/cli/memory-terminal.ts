/** A terminal without a process. */
import { createColors } from 'picocolors';
import { runProgram } from '../../gateway/cli/program.ts';
import type { Terminal } from '../../gateway/cli/terminal.ts';

export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export interface Around {
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
}

/** Runs a command line within this process. */
export async function run(args: readonly string[], { env = {}, input = '' }: Around = {}): Promise<Ran> {
  let [code, out, err] = [0, '', ''];
  const terminal: Terminal = {
    out: (text) => {
      out += text;
    },
    err: (text) => {
      err += text;
    },
    readInput: () => Promise.resolve(input),
    env,
    colors: createColors(false),
    exit: (given) => {
      code = given;
    },
  };
  await runProgram(args, terminal);
  return { code, out, err };
}
