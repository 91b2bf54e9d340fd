/**
 * undici, loaded by the first who needs it: 90 ms of CPU on each thread, which a gateway before http:// services with its key
 * sets in files never spends.
 */
import { createRequire } from 'node:module';
import type * as Undici from 'undici';

const require = createRequire(import.meta.url);
let loaded: typeof Undici | null = null;

export function undici(): typeof Undici {
  loaded ??= require('undici') as typeof Undici;
  return loaded;
}
