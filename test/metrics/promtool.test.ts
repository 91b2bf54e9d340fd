import { spawnSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { CellStore } from '../../gateway/metrics/cells.ts';
import { ControlMetrics } from '../../gateway/metrics/control.ts';
import { Exposition } from '../../gateway/metrics/exposition.ts';
import { Recorder } from '../../gateway/metrics/recorder.ts';
import { systemClock } from '../../gateway/core/clock.ts';
import { describeWith } from '../support/debian.ts';
import { textOf } from './parse.ts';
import { routesNamed } from './routes.ts';

describeWith('promtool', 'promtool check metrics', () => {
  const check = (text: string): { output: string; status: number | null } => {
    const { stdout, stderr, status } = spawnSync('promtool', ['check', 'metrics'], {
      input: text,
      encoding: 'utf8',
    });
    return { output: stdout + stderr, status };
  };

  it('has nothing to say about a scrape', async () => {
    const store = new CellStore(1000);
    const { routes } = store.label({ routes: routesNamed('GET /orders/{id}', 'a "quoted\\" id\n') }, [
      'orders',
    ]);
    const exposition = new Exposition(store);
    const build = { version: '1.2.3', node: process.version, httpDriver: 'uws' };
    const control = new ControlMetrics(exposition.registry, build, store, 1000, systemClock);
    control.issuers(['main'], () => []);
    const recorder = new Recorder(store.region('listener-0'));
    recorder.requestStarted();
    recorder.requestDone(routes[1]!, 0, 200, 12);
    expect(check(await textOf(exposition, 'text'))).toEqual({ output: '', status: 0 });
  });

  it('would complain about a counter without `_total`', () => {
    expect(check('# HELP x_requests Requests.\n# TYPE x_requests counter\nx_requests 1\n').status).not.toBe(
      0,
    );
  });
});
