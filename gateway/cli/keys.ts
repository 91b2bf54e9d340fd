/** `sallyport keys`: the keys that stored credentials are encrypted with. */
import { Option, type Command } from 'commander';
import { loadConfig } from '../config/load.ts';
import { formatProblems } from '../config/problem.ts';
import { systemClock } from '../core/clock.ts';
import { StoreFault } from '../oauth/credential.ts';
import { orFault } from '../oauth/store/directory-store.ts';
import { systemFiles } from '../oauth/store/files.ts';
import { addToKeyFile } from '../oauth/store/key-file.ts';
import { makeRingEntry } from '../oauth/store/key-ring.ts';
import { keyRingReader } from '../oauth/store/open.ts';
import { Records } from '../oauth/store/records.ts';
import { countKeys, rotateRecords, type UnreadableRecord } from '../oauth/store/rotate.ts';
import { exitCode } from './exit-codes.ts';
import type { Terminal } from './terminal.ts';

interface StoreOptions {
  readonly config: string;
  readonly format: 'text' | 'json';
}

const examples = `
Examples:
  $ sallyport keys new store.key               make a key ring, or put a new key in front of it
  $ sallyport keys new                         print a new key, for a ring in the environment
  $ sallyport keys rotate -c sallyport.yaml    encrypt every credential with the first key of the ring
  $ sallyport keys list -c sallyport.yaml      which keys are still needed

To change the key: "keys new", then "keys rotate", and when "keys list" says that no record needs the old key, take it out
of the ring. Gateways may go on running: they read the ring file again when they meet a key that they do not know. A ring in
the environment is changed by starting them again, before "keys rotate".
`;

const exitCodes = `
Exit codes:
  0 it is done   1 some record could not be read or written   2 the command line, the configuration or the key ring cannot be used
`;

export function registerKeys(program: Command, terminal: Terminal): void {
  const keys = program
    .command('keys')
    .description('make, change and list the keys that stored credentials are encrypted with')
    .addHelpText('after', examples);
  keys
    .command('new')
    .description('make a key')
    .argument('[file]', 'the key ring that it is put in front of; made when there is none')
    .addHelpText('after', exitCodes)
    .action(async (file: string | undefined) => {
      terminal.exit(await makeKey(file, terminal));
    });
  storeCommand(
    keys,
    'rotate',
    'encrypt every stored credential with the first key of the ring',
    terminal,
    rotate,
  );
  storeCommand(keys, 'list', 'say which keys the stored credentials need', terminal, list);
}

type StoreAction = (records: Records, format: StoreOptions['format'], terminal: Terminal) => Promise<boolean>;

function storeCommand(
  keys: Command,
  name: string,
  description: string,
  terminal: Terminal,
  action: StoreAction,
): void {
  keys
    .command(name)
    .description(description)
    .requiredOption('-c, --config <file>', 'the configuration (YAML)')
    .addOption(new Option('--format <format>', 'how to report').choices(['text', 'json']).default('text'))
    .addHelpText('after', exitCodes)
    .action(async (options: StoreOptions) => {
      terminal.exit(await withStore(options, terminal, action));
    });
}

async function makeKey(file: string | undefined, terminal: Terminal): Promise<number> {
  const entry = makeRingEntry(systemClock.nowMs());
  if (file === undefined) {
    terminal.out(`${entry}\n`);
    return exitCode.ok;
  }
  try {
    const done = await orFault('written', () => addToKeyFile(file, entry, systemFiles));
    const keyId = entry.split('.')[2]!;
    terminal.out(
      done === 'made'
        ? `${file}: made, with the key ${keyId}.\n`
        : `${file}: the key ${keyId} is the first one now. "sallyport keys rotate" encrypts the store with it.\n`,
    );
    return exitCode.ok;
  } catch (error) {
    return refuse(error, terminal);
  }
}

/** Runs an action on the store of a configuration. What keeps the store from being opened is a matter of its use. */
async function withStore(options: StoreOptions, terminal: Terminal, action: StoreAction): Promise<number> {
  const loaded = await loadConfig(options.config, terminal.env);
  if (!loaded.ok) {
    terminal.err(formatProblems(loaded.problems));
    return exitCode.usage;
  }
  const store = loaded.config.oauth?.store;
  if (store === undefined) {
    terminal.err(`${options.config}: there is no credential store in it (oauth.store).\n`);
    return exitCode.usage;
  }
  const { file: directory } = store;
  let records: Records;
  try {
    const readKeyRing = keyRingReader(store, terminal.env, systemFiles);
    const parts = { directory, readKeyRing, files: systemFiles, clock: systemClock };
    records = await orFault('opened', () => Records.open({ ...parts, mustExist: true }));
  } catch (error) {
    return refuse(error, terminal);
  }
  try {
    const isWhole = await orFault('read or written', () => action(records, options.format, terminal));
    return isWhole ? exitCode.ok : exitCode.failed;
  } catch (error) {
    refuse(error, terminal);
    return exitCode.failed;
  }
}

const rotate: StoreAction = async (records, format, terminal) => {
  const rotation = await rotateRecords(records, systemClock.nowMs());
  const { currentKeyId, rotated, alreadyCurrent, forgotten, unreadable } = rotation;
  if (format === 'json') terminal.out(`${JSON.stringify({ version: 1, ...rotation })}\n`);
  else {
    const ofOld = forgotten === 0 ? '' : ` ${forgotten} that were deleted long ago are gone.`;
    terminal.out(`${rotated} encrypted with ${currentKeyId} now, ${alreadyCurrent} were before.${ofOld}\n`);
  }
  tellUnreadable(unreadable, terminal);
  return unreadable.length === 0;
};

const list: StoreAction = async (records, format, terminal) => {
  const census = await countKeys(records);
  if (format === 'json') terminal.out(`${JSON.stringify({ version: 1, ...census })}\n`);
  else {
    for (const { keyId, role, records: count } of census.keys) {
      terminal.out(`${keyId}  ${role.padEnd(7)}  ${count} record${count === 1 ? '' : 's'}\n`);
    }
  }
  tellUnreadable(census.unreadable, terminal);
  return census.unreadable.length === 0;
};

function tellUnreadable(unreadable: readonly UnreadableRecord[], terminal: Terminal): void {
  for (const { name, why } of unreadable) terminal.err(`record ${name}: ${why}\n`);
}

function refuse(error: unknown, terminal: Terminal): number {
  if (!(error instanceof StoreFault)) throw error;
  terminal.err(`${error.message}\n`);
  return exitCode.usage;
}
