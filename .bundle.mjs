// Writes the program that `npm start`, the package, the tests and the bench run: the compiled modules, and those packages that
// nearly each start needs, in a few files. Half of a start was finding and reading 300 of them.
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'rolldown';

// What an earlier build named otherwise would be shipped, too.
rmSync('dist/sallyport', { recursive: true, force: true });

const { output } = await build({
  // gateway/places.ts names these files, too.
  input: {
    main: 'dist/gateway/main.js',
    listener: 'dist/gateway/listener/thread.js',
    verify: 'dist/workers/verify.js',
  },
  platform: 'node',
  // Nothing is left out, here and by `minify`: a call whose result is not used, `decodeURIComponent(path)` in a try block, was
  // taken for one without effect, and a check was gone.
  treeshake: false,
  external: [
    // Native, with threads or files of their own, or loaded only where a configuration asks for them.
    /^(uWebSockets\.js|piscina|pino|undici|@redis\/client|@opentelemetry\/.*)$/,
    // The simulator and the demo stay beside the bundle, and so does what the simulator runs: it is to be what ships.
    /[\\/]dist[\\/](sim|examples|gateway[\\/]flight|gateway[\\/]oauth[\\/]protocol)[\\/]/,
    /[\\/]dist[\\/]gateway[\\/]core[\\/]assert\.js$/,
  ],
  plugins: [
    {
      // With the maps of tsc, those of the bundle lead to the sources (node --enable-source-maps).
      name: 'maps-of-tsc',
      load: {
        filter: { id: /[\\/]dist[\\/](gateway|workers)[\\/]/ },
        handler: (/** @type {string} */ file) => ({
          code: readFileSync(file, 'utf8'),
          map: readFileSync(`${file}.map`, 'utf8'),
        }),
      },
    },
  ],
  output: {
    // Not `dist/sallyport`: what stays outside is named from here.
    dir: 'dist',
    entryFileNames: 'sallyport/[name].js',
    chunkFileNames: 'sallyport/[name].js',
    sourcemap: true,
    keepNames: true,
    minify: false,
  },
});

// Their licences ask for their words to go along.
const folders = new Set(
  output
    .flatMap((file) => (file.type === 'chunk' ? file.moduleIds : []))
    .flatMap((id) => /^.*[\\/]node_modules[\\/](?:@[^\\/]+[\\/])?[^\\/]+/.exec(id) ?? []),
);
const licences = [...folders].toSorted().map((folder) => {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
  const words = file === undefined ? '' : `\n\n${readFileSync(join(folder, file), 'utf8').trim()}`;
  return `${name} ${version}: ${license}${words}\n`;
});
writeFileSync('dist/sallyport/LICENCES.txt', licences.join('\n---\n\n'));
