/**
 * Where this package lies, and in it the code that threads are made of. Found from the manifest, so that the answer is the
 * same for the sources, for each compiled module and for the bundle, whose modules lie elsewhere.
 */
import { existsSync } from 'node:fs';

/** The folder with package.json; ends with a slash. */
export const packageRoot = findRoot(new URL('.', import.meta.url));

/** Entries of the bundle (`.bundle.mjs`). */
export const listenerEntry = new URL('dist/sallyport/listener.js', packageRoot);
export const verifyEntry = new URL('dist/sallyport/verify.js', packageRoot);

/** It is there: without its `"type"` Node would not have taken this for a module. */
function findRoot(folder: URL): URL {
  return existsSync(new URL('package.json', folder)) ? folder : findRoot(new URL('..', folder));
}
