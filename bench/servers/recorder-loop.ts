/**
 * Entry of a process that does nothing but what a listener writes of a decision about a known token: `recorder-loop.js SECONDS`.
 * Its routes are as many as the hot caches of a core can be asked to hold.
 */
import { CellStore } from '../../gateway/metrics/cells.ts';
import { Recorder } from '../../gateway/metrics/recorder.ts';
import { routesNamed } from './routes.ts';

const [, , seconds] = process.argv;
const routes = 100;
const callsPerTurn = 100_000;
const permit = -1;

const store = new CellStore(20_000, false);
const labels = store.label({ routes: routesNamed(routes) }, ['api']);
const recorder = new Recorder(store.region('listener-0'));

function record(requests: number): void {
  for (let i = 0; i < requests; i++) {
    const route = labels.routes[i % routes]!;
    recorder.tokenSeen('RS256', 'accepted', 'hit');
    recorder.decided(route, permit);
    recorder.requestStarted();
    recorder.requestDone(route, 0, 204, 0.05, '');
  }
}

record(callsPerTurn);
const before = process.cpuUsage();
const endMs = performance.now() + Number(seconds) * 1000;
let requests = 0;
while (performance.now() < endMs) {
  record(callsPerTurn);
  requests += callsPerTurn;
}
const { user, system } = process.cpuUsage(before);
console.log(JSON.stringify({ cpuSecondsPer1000: (user + system) / 1e6 / (requests / 1000) }));
