/** Messages reach the brokers of all other threads, as they were sent. */
import { once } from 'node:events';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { afterEach, describe, expect, it } from 'vitest';
import { openRelay, type Relay, type RelayMessage } from '../../gateway/oauth/relay.ts';
import { built } from '../support/built.ts';
import { until } from '../support/until.ts';

const channel = 'test of relays';
const open: (Relay | Worker)[] = [];

afterEach(async () => {
  for (const each of open.splice(0)) await (each instanceof Worker ? each.terminate() : each.close());
});

/** A thread that sends back what it hears. */
async function echoThread(): Promise<Worker> {
  const module = JSON.stringify(pathToFileURL(built('gateway/oauth/relay.js')).href);
  const source = `
    const { parentPort } = require('node:worker_threads');
    import(${module}).then(({ openRelay }) => {
      const relay = openRelay(${JSON.stringify(channel)});
      relay.listen((message) => relay.send(message));
      setInterval(() => {}, 60_000);
      parentPort.postMessage('ready');
    });`;
  const worker = new Worker(source, { eval: true });
  open.push(worker);
  await once(worker, 'message');
  return worker;
}

const messages: readonly RelayMessage[] = [
  { kind: 'callback', flow: '0'.repeat(32), parameters: 'code=a&state=b' },
  { kind: 'cancel', flow: '0'.repeat(32) },
  { kind: 'changed', provider: 'idp', account: 'zo\u00eb' },
  {
    kind: 'unsaved',
    tokens: {
      id: { provider: 'idp', account: 'ada' },
      before: 2n ** 150n,
      grant: {
        kind: 'tokens',
        accessToken: 'a',
        tokenType: 'bearer',
        refreshToken: 'r',
        scope: null,
        subject: null,
        obtainedAtMs: 1,
        expiresAtMs: 2,
        refusal: null,
      },
    },
  },
];

describe('a relay', () => {
  it('carries every kind of message to another thread and back', async () => {
    await echoThread();
    const heard: RelayMessage[] = [];
    const relay = openRelay(channel);
    open.push(relay);
    relay.listen((message) => heard.push(message));
    for (const message of messages) relay.send(message);
    await until('all come back', () => heard.length === messages.length);
    expect(heard).toEqual(messages);
  });

  it('does not hear another gateway of the same process', async () => {
    await echoThread();
    const heard: RelayMessage[] = [];
    const [one, other] = [openRelay(channel), openRelay(`${channel} of another`)];
    open.push(one, other);
    other.listen((message) => heard.push(message));
    const echoed = new Promise((resolve) => one.listen(resolve));
    one.send(messages[1]!);
    await echoed;
    expect(heard).toEqual([]);
  });
});
