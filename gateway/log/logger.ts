/**
 * The log: JSON lines on stdout, from every thread, without secrets.
 *
 * Lines are collected and written asynchronously, whole lines at a time and at most 4 KiB at once: a pipe takes that much in
 * one piece (PIPE_BUF), so that lines of different threads never mix. Warnings and worse are written at once.
 */
import { once } from 'node:events';
import { pino } from 'pino';
import { redactMembers, redactText } from './redact.ts';

export type LogLevel = 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'silent';

type Fields = Record<string, unknown>;
type Write = (fields: Fields, message: string) => void;

/** Fields first, then one constant sentence. */
export interface Logger {
  readonly fatal: Write;
  readonly error: Write;
  readonly warn: Write;
  readonly info: Write;
  readonly debug: Write;
  /** A logger that adds fields to each line. */
  with(fields: Fields): Logger;
}

export interface LogSink {
  readonly logger: Logger;
  /** For this logger and all made from it. */
  setLevel(level: LogLevel): void;
  /** Writes out everything that is still held, before it returns. Safe on the way out of a thread. */
  flush(): void;
  /** Writes out the rest and closes a destination of its own. Nothing may be logged after. */
  close(): Promise<void>;
}

export interface LogOptions {
  readonly level: LogLevel;
  /** `main`, `listener-0`, ... */
  readonly thread: string;
  /** File descriptor, 1 by default; a path in tests. */
  readonly destination?: number | string;
  /** Told how many lines were lost because the output did not keep up. */
  readonly onDrop?: (lines: number) => void;
}

const writeBytesMax = 4096;
/** Held back at most, while the output is stuck; beyond it lines are dropped. */
const heldBytesMax = 8 * 1024 * 1024;
const flushIntervalMs = 500;
/** What a write that was begun gets at the end of its thread. */
const writeMsMax = 50;
const warnLevel = 40;
const fatalLevel = 60;

/** Opens the log of a thread. It is flushed when the thread ends, by whichever way runs `exit` handlers. */
export function openLog(options: LogOptions): LogSink {
  const stream = pino.destination({
    dest: options.destination ?? 1,
    sync: false,
    minLength: writeBytesMax / 2,
    maxWrite: writeBytesMax,
    maxLength: heldBytesMax,
    periodicFlush: flushIntervalMs,
  });
  // Nowhere to say it: a closed pipe must not take the gateway down.
  stream.on('error', () => {});
  stream.on('drop', () => options.onDrop?.(1));

  const flush = (): void => {
    try {
      stream.flushSync();
    } catch {
      // Not open yet, or closed: nothing can be written any more.
    }
  };
  const flushAtExit = (): void => {
    // A write that a thread of the pool has in hand is not heard of any more, and would be called off with the thread.
    if ((stream as unknown as { readonly _writing: boolean })._writing)
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, writeMsMax);
    flush();
  };
  process.on('exit', flushAtExit);

  const root = pino(
    {
      level: options.level,
      base: { thread: options.thread },
      timestamp: pino.stdTimeFunctions.isoTime,
      // `log` has serialized it by then; pino's own would do it again and lose what it does not know.
      serializers: { err: (err: unknown) => err },
      formatters: {
        level: (label) => ({ level: label }),
        log: redactMembers,
      },
      hooks: {
        streamWrite: redactText,
        logMethod(args, method, level) {
          method.apply(this, args);
          // What comes after a fatal line may be the end of the process: an asynchronous write would be lost with it.
          if (level >= fatalLevel) flush();
          else if (level >= warnLevel) stream.flush();
        },
      },
    },
    stream,
  );
  return {
    logger: wrap(root, {}),
    setLevel: (level) => {
      root.level = level;
    },
    flush,
    close: async () => {
      process.off('exit', flushAtExit);
      const closed = once(stream, 'close');
      stream.end();
      await closed;
    },
  };
}

/** Fields are merged here, not by pino's children: a child would keep its level when the configuration changes. */
function wrap(root: pino.Logger, bound: Fields): Logger {
  const write =
    (level: Exclude<LogLevel, 'silent'>): Write =>
    (fields, message) => {
      if (root.isLevelEnabled(level)) root[level]({ ...bound, ...fields }, message);
    };
  return {
    fatal: write('fatal'),
    error: write('error'),
    warn: write('warn'),
    info: write('info'),
    debug: write('debug'),
    with: (fields) => wrap(root, { ...bound, ...fields }),
  };
}
