/** `sallyport start`: runs the gateway until it is told to end. Without a configuration it runs the demo. */
import type { Command } from 'commander';
import { formatProblems } from '../config/problem.ts';
import { FileWatches, watchFile } from '../config/watch.ts';
import type { ControlPlane } from '../control-plane.ts';
import { ListenerThread } from '../listener-thread.ts';
import { DriverUnavailable } from '../native/uws.ts';
import { exitCode } from './exit-codes.ts';

interface StartOptions {
  readonly config?: string;
  readonly demo?: true;
}

const examples = `
Examples:
  $ sallyport start                      the demo: an issuer, an upstream and the gateway
  $ sallyport start -c sallyport.yaml    the gateway

Signals:
  SIGHUP           load the configuration again; a bad one is refused and the present one stays
  SIGTERM, SIGINT  stop being ready, finish what is under way, end; a second one ends at once

Exit codes:
  0 ended in order   1 failed   2 the command line or the configuration cannot be used
`;

const demoMissing = `sallyport: the demo comes with a clone of the repository and its development dependencies (npm ci)
  To run the gateway, give a configuration: sallyport start -c FILE
`;

export function registerStart(program: Command): void {
  program
    .command('start')
    .description('run the gateway, or the demo without a configuration')
    .option('-c, --config <file>', 'the configuration (YAML)')
    .option('--demo', 'run the demo even where a configuration is given by SALLYPORT_CONFIG')
    .addHelpText('after', examples)
    .action(async (options: StartOptions) => {
      const file = options.demo === true ? undefined : (options.config ?? process.env['SALLYPORT_CONFIG']);
      process.exitCode = file === undefined ? await runDemo() : await runGateway(file);
    });
}

/** The demo is not part of the installed package, and needs what only a checkout installs. */
async function runDemo(): Promise<number> {
  try {
    const demo = await import('../../examples/demo/demo.ts');
    const running: Running[] = [];
    await demo.runDemo(async (file) => {
      const started = await run(file);
      running.push(started);
      return { port: started.plane.port, adminPort: started.plane.adminPort };
    });
    const [gateway] = running;
    return gateway === undefined ? exitCode.failed : await gateway.ended;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') return sayWhyNot(error);
    process.stderr.write(demoMissing);
    return exitCode.usage;
  }
}

async function runGateway(file: string): Promise<number> {
  try {
    const { ended } = await run(file);
    return await ended;
  } catch (error) {
    return sayWhyNot(error);
  }
}

interface Running {
  readonly plane: ControlPlane;
  /** The exit code, when a signal has ended the gateway. */
  readonly ended: Promise<number>;
}

/** Starts the gateway and has it follow its file and the signals. Errors: those of `ControlPlane.start`. */
async function run(file: string): Promise<Running> {
  // Two threads load their code at once: half of a start is nothing else.
  const listener = new ListenerThread(0);
  const { ControlPlane } = await import('../control-plane.ts');
  // Watched before it is read: a change in between is seen.
  let plane: ControlPlane | null = null;
  let changedEarly = false;
  const onChange = (): void => {
    if (plane === null) changedEarly = true;
    else void plane.reload();
  };
  await watchFile(file, onChange);
  const watches = new FileWatches(onChange);
  plane = await ControlPlane.start({
    file,
    environment: process.env,
    listener,
    onHung: killSelf,
    onFiles: (files) => watches.follow(files),
  });
  if (changedEarly) void plane.reload();
  return { plane, ended: untilSignal(plane) };
}

function untilSignal(plane: ControlPlane): Promise<number> {
  process.on('SIGHUP', () => void plane.reload());
  const fail = async (error: unknown): Promise<void> => {
    plane.logFatal(error);
    // The listeners must end before the process does: the driver would abort it.
    await plane.stop();
    process.exit(exitCode.failed);
  };
  process.on('uncaughtException', (error) => void fail(error));
  process.on('unhandledRejection', (error) => void fail(error));
  return new Promise((resolve) => {
    let ending = false;
    const end = async (signal: NodeJS.Signals): Promise<void> => {
      const isSecond = ending;
      ending = true;
      await (isSecond ? plane.stop() : plane.drain());
      resolve(isSecond ? 128 + (signal === 'SIGINT' ? 2 : 15) : exitCode.ok);
    };
    process.on('SIGTERM', (signal) => void end(signal));
    process.on('SIGINT', (signal) => void end(signal));
  });
}

async function sayWhyNot(error: unknown): Promise<number> {
  const { ConfigurationRefused } = await import('../loaded.ts');
  if (error instanceof ConfigurationRefused) {
    process.stderr.write(formatProblems(error.problems));
    return exitCode.usage;
  }
  if (error instanceof DriverUnavailable) {
    process.stderr.write(`${error.message}\n`);
    return exitCode.failed;
  }
  const { code, message } = error as NodeJS.ErrnoException;
  process.stderr.write(`sallyport: ${message}${adviceOn(code)}\n`);
  return exitCode.failed;
}

function adviceOn(code = ''): string {
  switch (code) {
    case 'EADDRINUSE':
      return '\n  Another program listens there. Choose another `port`, or end that program.';
    case 'EACCES':
      return '\n  Ports below 1024 need a privilege (CAP_NET_BIND_SERVICE). Choose another `port`.';
    case 'EADDRNOTAVAIL':
      return '\n  This machine does not have that address. Correct `host`.';
    default:
      return '';
  }
}

/** A hung listener cannot be ended in order: its driver would abort the process with a dump. Exit status 137. */
function killSelf(): void {
  process.kill(process.pid, 'SIGKILL');
}
