/** The version of this package, as its manifest says. */
import { readFileSync } from 'node:fs';

/** From `gateway/` in the sources and from `dist/gateway/` as built, the manifest is one or two folders up. */
function readVersion(): string {
  for (const place of ['../package.json', '../../package.json']) {
    try {
      const manifest = JSON.parse(readFileSync(new URL(place, import.meta.url), 'utf8')) as {
        version: string;
      };
      return manifest.version;
    } catch {
      continue;
    }
  }
  return 'unknown';
}

export const version = readVersion();
