/** The version of this package, as its manifest says. */
import { readFileSync } from 'node:fs';
import { packageRoot } from './places.ts';

export const { version } = JSON.parse(readFileSync(new URL('package.json', packageRoot), 'utf8')) as {
  readonly version: string;
};
