/**
 * Messages between the brokers of all listener threads: what a browser brought back to a thread that does not lead its
 * flow, and news that must not wait. Secrets pass here as messages; the flight table's memory holds none.
 */
import { BroadcastChannel } from 'node:worker_threads';
import type { UnsavedTokens } from './unsaved.ts';

export type RelayMessage =
  /** For the leader of the flow, by the table's id: the answer of a browser, as a query. */
  | { readonly kind: 'callback'; readonly flow: string; readonly parameters: string }
  /** For the leader: stop, and take back what is being stored. */
  | { readonly kind: 'cancel'; readonly flow: string }
  /** For everybody: tokens that the store did not take. */
  | { readonly kind: 'unsaved'; readonly tokens: UnsavedTokens }
  /** For everybody: what you remember of this credential is old. */
  | { readonly kind: 'changed'; readonly provider: string; readonly account: string };

export interface Relay {
  /** Sends to all other threads. */
  send(message: RelayMessage): void;
  /** Set once. Called with what others send. */
  listen(hear: (message: RelayMessage) => void): void;
  close(): void;
}

/** A relay over all threads of this process that name the same channel. Does not keep the thread alive. */
export function openRelay(channelName: string): Relay {
  const channel = new BroadcastChannel(channelName);
  channel.unref();
  return {
    send: (message) => channel.postMessage(message),
    listen: (hear) => {
      channel.onmessage = (event: unknown) => hear((event as { readonly data: RelayMessage }).data);
    },
    close: () => channel.close(),
  };
}
