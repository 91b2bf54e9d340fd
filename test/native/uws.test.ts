/** The driver's door in processes of its own, from the package's real binaries. */
import * as fs from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { currentPlatform, isOlder } from '../../gateway/native/platform.ts';
import { canCopyLoad, DriverUnavailable, openDriver } from '../../gateway/native/uws.ts';
import {
  asOrdinaryUser,
  copiesIn,
  makeInstallation,
  otherNode,
  runInside,
  runInstallScript,
} from './installation.ts';

const { glibc } = currentPlatform();
/** The copy is needed on glibc 2.36 and 2.37 only; elsewhere the original loads and these have nothing to show. */
const needsCopy = glibc !== undefined && !isOlder(glibc, '2.36') && isOlder(glibc, '2.38');

/** Only root can leave a folder that belongs to another user. */
const isRoot = process.getuid?.() === 0;

const PRINT_DRIVER = 'console.log(typeof loadDriver().App, loadDriver() === loadDriver());';
const SERVE_ONCE = `
  const driver = loadDriver();
  const app = driver.App();
  app.get('/*', (response, request) => response.end(request.getUrl()));
  app.listen('127.0.0.1', 0, async (socket) => {
    const port = driver.us_socket_local_port(socket);
    console.log(await (await fetch('http://127.0.0.1:' + port + '/here')).text());
    app.close();
    process.exit(0);
  });`;

describe('the driver', () => {
  it('serves a request', () => {
    expect(runInside(makeInstallation(), SERVE_ONCE)).toMatchObject({
      status: 0,
      stdout: '/here\n',
      stderr: '',
    });
  });

  it.each([22, 24] as const)('serves a request on Node %i', (major) => {
    const node = otherNode(major);
    if (!fs.existsSync(node) && process.env['CI'] !== 'true') {
      console.warn(`NOT TRIED on Node ${String(major)}: run npm ci --prefix test/nodes`);
      return;
    }
    const run = runInside(makeInstallation(), SERVE_ONCE, { node });
    expect(run).toMatchObject({ status: 0, stdout: '/here\n', stderr: '' });
  });

  it('loads in several threads at once', () => {
    const code = `
      import { isMainThread, Worker } from 'node:worker_threads';
      const source = "import('./dist/gateway/native/uws.js').then((m) => console.log(typeof m.loadDriver().App))";
      for (let thread = 0; thread < 4; thread++) new Worker(source, { eval: true });`;
    const run = runInside(makeInstallation(), code);
    expect(run).toMatchObject({ status: 0, stdout: 'function\n'.repeat(4), stderr: '' });
  });

  it('is the same one at each call', () => {
    expect(runInside(makeInstallation(), PRINT_DRIVER).stdout).toBe('function true\n');
  });
});

describe.runIf(needsCopy)('without install scripts', () => {
  it('the first start writes a copy into a cache folder of the user alone, the second uses it', () => {
    const installation = makeInstallation();
    expect(runInside(installation, PRINT_DRIVER)).toMatchObject({ status: 0, stderr: '' });
    const [copy = ''] = copiesIn(installation.folder);
    expect(dirname(copy)).toBe(join(installation.home, '.cache/sallyport'));
    expect(fs.statSync(dirname(copy)).mode & 0o777).toBe(0o700);

    const before = fs.statSync(copy);
    expect(runInside(installation, PRINT_DRIVER).status).toBe(0);
    expect(fs.statSync(copy)).toMatchObject({ ino: before.ino, mtimeMs: before.mtimeMs });
  });

  it('XDG_CACHE_HOME says where', () => {
    const installation = makeInstallation();
    const cache = join(installation.home, 'elsewhere');
    runInside(installation, PRINT_DRIVER, { env: { XDG_CACHE_HOME: cache } });
    expect(copiesIn(installation.folder).map(dirname)).toEqual([join(cache, 'sallyport')]);
  });

  it('a changed copy is replaced', () => {
    const installation = makeInstallation();
    runInside(installation, PRINT_DRIVER);
    const [copy = ''] = copiesIn(installation.folder);
    const good = fs.readFileSync(copy);
    fs.chmodSync(copy, 0o755);
    fs.writeFileSync(copy, 'not a binary');
    expect(runInside(installation, PRINT_DRIVER)).toMatchObject({ status: 0, stdout: 'function true\n' });
    expect(fs.readFileSync(copy).equals(good)).toBe(true);
  });

  it('a copy that others could write to is replaced, whatever its bytes', () => {
    const installation = makeInstallation();
    runInside(installation, PRINT_DRIVER);
    const [copy = ''] = copiesIn(installation.folder);
    fs.chmodSync(copy, 0o777);
    runInside(installation, PRINT_DRIVER);
    expect(fs.statSync(copy).mode & 0o022).toBe(0);
  });

  it.runIf(isRoot)('a cache folder that belongs to somebody else is passed over', () => {
    const installation = makeInstallation();
    const { uid } = asOrdinaryUser(installation);
    const foreign = join(installation.folder, 'foreign');
    fs.mkdirSync(join(foreign, 'sallyport'), { recursive: true });
    fs.chmodSync(join(foreign, 'sallyport'), 0o777);
    const run = runInside(installation, PRINT_DRIVER, { uid: uid ?? 0, env: { XDG_CACHE_HOME: foreign } });
    expect(run).toMatchObject({ status: 0, stdout: 'function true\n' });
    expect(copiesIn(installation.folder).map(dirname)).toEqual([
      join(installation.home, 'tmp', `sallyport-${String(uid)}`),
    ]);
  });

  it('an install folder that may only be read is enough', () => {
    const installation = makeInstallation();
    const user = asOrdinaryUser(installation);
    fs.chmodSync(dirname(installation.binary), 0o555);
    expect(runInstallScript(installation, user.uid)).toMatchObject({ status: 0, stdout: '' });
    expect(runInside(installation, SERVE_ONCE, user)).toMatchObject({ status: 0, stdout: '/here\n' });
  });
});

describe.runIf(needsCopy)('with install scripts', () => {
  it('the copy lies beside the original, says so in one line, and nothing is cached', () => {
    const installation = makeInstallation();
    const install = runInstallScript(installation);
    const copies = copiesIn(installation.folder);
    expect(copies.map(dirname)).toEqual([dirname(installation.binary)]);
    expect(install).toMatchObject({ status: 0, stderr: '' });
    expect(install.stdout).toMatch(
      /^sallyport: uWebSockets\.js needs a newer system than linux .*; wrote .*\n$/,
    );
    expect(runInside(installation, SERVE_ONCE)).toMatchObject({ status: 0, stdout: '/here\n' });
    expect(copiesIn(installation.folder)).toEqual(copies);
  });

  it('a changed copy beside the original is not loaded', () => {
    const installation = makeInstallation();
    runInstallScript(installation);
    const [copy = ''] = copiesIn(installation.folder);
    fs.chmodSync(copy, 0o755);
    fs.writeFileSync(copy, 'not a binary');
    expect(runInside(installation, PRINT_DRIVER)).toMatchObject({ status: 0, stdout: 'function true\n' });
    expect(copiesIn(installation.home)).toHaveLength(1);
  });
});

describe('where nothing loads', () => {
  it.runIf(needsCopy)(
    'an unknown binary is refused, by the install script without failing the install',
    () => {
      const installation = makeInstallation();
      fs.appendFileSync(installation.binary, 'x');
      const run = runInside(installation, PRINT_DRIVER);
      expect(run.status).toBe(1);
      expect(run.stderr).toMatch(
        /tried {2}a copy for older glibc: no edit is known for SHA-256 [0-9a-f]{64}/,
      );
      expect(runInstallScript(installation)).toMatchObject({ status: 0, stdout: '' });
      expect(copiesIn(installation.folder)).toEqual([]);
    },
  );

  it.runIf(needsCopy)('the message names each place that was tried, the system and what to do', () => {
    const installation = makeInstallation();
    fs.rmSync(installation.home, { recursive: true });
    fs.writeFileSync(installation.home, 'a file where a folder should be');
    const run = runInside(installation, PRINT_DRIVER);
    expect(run.status).toBe(1);
    const lines = run.stderr.split('\n');
    const first = lines.findIndex((line) => line.includes('DriverUnavailable: '));
    expect(lines.slice(first, first + 7)).toEqual([
      'DriverUnavailable: the HTTP driver uWebSockets.js does not load',
      expect.stringMatching(/^ {2}tried {2}.*\/uws_linux_\w+\.node: .*GLIBC_2\.38' not found/),
      expect.stringMatching(/^ {2}tried {2}.*\/uws_linux_\w+\.[0-9a-f]{16}\.node: ENOENT/),
      expect.stringMatching(/^ {2}tried {2}.*\/\.cache\/sallyport: ENOTDIR/),
      expect.stringMatching(/^ {2}tried {2}.*\/tmp\/sallyport-\d+: ENOTDIR/),
      `  here   linux ${process.arch}, glibc ${String(glibc)}, Node ${process.versions.node} (ABI ${process.versions.modules})`,
      expect.stringMatching(/^ {2}help {3}let XDG_CACHE_HOME name a folder/),
    ]);
  });

  const linux = { ...currentPlatform(), os: 'linux' as const, glibc: '2.41' };
  it.each([
    ['musl', { ...linux, glibc: undefined }, /use a system with glibc.*no binary for musl/],
    ['an older glibc', { ...linux, glibc: '2.31' }, /use a system with glibc 2\.36 or newer/],
    ['a Node without a binary', linux, /run Node 20, 22 or 24/],
  ])('the help fits %s', (_, platform, help) => {
    const open = (): unknown => openDriver('/nowhere/uws.node', [], platform);
    expect(open).toThrow(DriverUnavailable);
    expect(open).toThrow(help);
  });

  it('only a missing GLIBC_2.38 is taken for an older glibc', () => {
    const platform = { ...linux, glibc: '2.36' };
    const failure = (message: string, code = 'ERR_DLOPEN_FAILED'): Error =>
      Object.assign(new Error(message), { code });
    expect(canCopyLoad(failure("version `GLIBC_2.38' not found"), platform)).toBe(true);
    expect(canCopyLoad(failure("version `GLIBC_2.39' not found"), platform)).toBe(false);
    expect(canCopyLoad(failure("version `GLIBC_2.38' not found", 'ENOENT'), platform)).toBe(false);
    expect(canCopyLoad(failure("version `GLIBC_2.38' not found"), { ...platform, glibc: '2.35' })).toBe(
      false,
    );
  });
});
