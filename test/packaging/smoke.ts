/**
 * Run by CI under the Nodes that do not run the tests: does the built program start there? Prints nothing but what is
 * wrong; ends with 1 then.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { loadDriver } from '../../gateway/native/uws.ts';
import { sallyport } from '../support/built.ts';

await serveOnce();
showHelp();

/** The native driver answers a request. */
async function serveOnce(): Promise<void> {
  const driver = loadDriver();
  const app = driver.App();
  app.get('/*', (response, request) => {
    response.end(request.getUrl());
  });
  const port = await new Promise<number>((resolve) => {
    app.listen('127.0.0.1', 0, (socket) => {
      assert(socket !== false, 'no port to listen on');
      resolve(driver.us_socket_local_port(socket));
    });
  });
  const answer = await fetch(`http://127.0.0.1:${String(port)}/smoke`);
  assert.equal(await answer.text(), '/smoke');
  app.close();
}

/** The command explains itself. */
function showHelp(): void {
  const { status, stdout, stderr } = spawnSync(process.execPath, [sallyport, '--help'], { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  for (const command of ['start', 'check', 'explain'])
    assert.match(stdout, new RegExp(`^ +${command}\\b`, 'm'));
}
