/**
 * A script that npm runs after an install, where it runs scripts at all. If the native binary does not load on this
 * system's glibc, it leaves a copy that does beside it and says so. It never fails an install: the first start does
 * the same into a cache folder.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { copyBeside, verifyCopy, writeCopy } from './copy.ts';
import { compatibleCopy, sha256 } from './glibc.ts';
import { currentPlatform, platformText } from './platform.ts';
import { canCopyLoad, nativeBinary } from './uws.ts';

const require = createRequire(import.meta.url);
const platform = currentPlatform();

try {
  const original = nativeBinary(platform);
  if (needsCopy(original)) {
    const path = installCopy(original);
    console.log(
      `sallyport: uWebSockets.js needs a newer system than ${platformText(platform)}; wrote ${path}`,
    );
  }
} catch (error) {
  const reason = error instanceof Error ? error.message : String(error);
  console.warn(`sallyport: no copy of uWebSockets.js was made, the first start will try again: ${reason}`);
}

/** Errors: that of loading, where a copy would not help. */
function needsCopy(original: string): boolean {
  try {
    require(original);
    return false;
  } catch (error) {
    if (canCopyLoad(error, platform)) return true;
    throw error;
  }
}

function installCopy(original: string): string {
  const bytes = compatibleCopy(readFileSync(original));
  const path = copyBeside(original, sha256(bytes));
  writeCopy(path, bytes);
  verifyCopy(path, sha256(bytes));
  require(path);
  return path;
}
