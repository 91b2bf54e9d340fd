/** What a command writes to and reads from, as an argument, so that tests need no process. Data goes to `out`, the rest to `err`. */
import { createColors } from 'picocolors';

export interface Terminal {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  /** All of standard input. */
  readonly readInput: () => Promise<string>;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly colors: Colors;
  /** Ends the command with this code, once what it wrote is out. */
  readonly exit: (code: number) => void;
}

export type Colors = Pick<ReturnType<typeof createColors>, 'bold' | 'dim' | 'green' | 'red' | 'yellow'>;

const inputBytesMax = 1_048_576;

/** Colours by https://no-color.org: a terminal, and nobody who minds. */
export function wantsColor(env: Terminal['env'], isTerminal: boolean): boolean {
  if (env['NO_COLOR']) return false;
  if (env['FORCE_COLOR']) return env['FORCE_COLOR'] !== '0';
  return isTerminal && env['TERM'] !== 'dumb';
}

export const processTerminal: Terminal = {
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  readInput: async () => {
    let text = '';
    for await (const chunk of process.stdin.setEncoding('utf8') as AsyncIterable<string>) {
      text += chunk;
      if (text.length > inputBytesMax) break;
    }
    return text;
  },
  env: process.env,
  colors: createColors(wantsColor(process.env, process.stdout.isTTY)),
  exit: (code) => {
    process.exitCode = code;
  },
};
