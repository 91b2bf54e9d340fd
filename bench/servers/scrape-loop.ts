/**
 * Entry of a process that scrapes itself: `scrape-loop.js ROUTES SCRAPES`. All routes have been used, by two listeners, and
 * the series budget holds all of them.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { CellStore } from '../../gateway/metrics/cells.ts';
import { Exposition } from '../../gateway/metrics/exposition.ts';
import { Recorder } from '../../gateway/metrics/recorder.ts';
import { routesNamed } from './routes.ts';

const [, , routeCount, scrapeCount] = process.argv.map(Number);
const permit = -1;

const store = new CellStore(20 * routeCount!, false);
const labels = store.label({ routes: routesNamed(routeCount!) }, ['api']);
const recorders = ['listener-0', 'listener-1'].map((name) => new Recorder(store.region(name)));
for (const recorder of recorders) {
  for (const route of labels.routes) {
    recorder.decided(route, permit);
    recorder.requestStarted();
    recorder.requestDone(route, 0, 200, 1, '');
  }
}
const exposition = new Exposition(store);
const text = await exposition.text('text');

const delay = monitorEventLoopDelay({ resolution: 1 });
delay.enable();
const before = process.cpuUsage();
for (let i = 0; i < scrapeCount!; i++) await exposition.text('text');
const { user, system } = process.cpuUsage(before);
console.log(
  JSON.stringify({
    cpuMs: (user + system) / 1000 / scrapeCount!,
    longestTurnMs: delay.max / 1e6,
    series: text.split('\n').filter((line) => line !== '' && !line.startsWith('#')).length,
  }),
);
