/**
 * The synchronous operations of the flight table, by name. The driver calls them through this record, so that a
 * simulator can run them one memory access at a time, and can put a wrong variant in the place of one of them.
 */
import { bind } from './binding.ts';
import { freeBlock, publish, purge, readPayload, takeBlock, writePayload } from './payload.ts';
import { endFlights, enrol, reap } from './reaper.ts';
import { beginCommit, cancel, expire, fail, finish, look, renew, survey, tryStart } from './slot.ts';

export const operations = {
  bind,
  tryStart,
  renew,
  takeBlock,
  writePayload,
  freeBlock,
  publish,
  readPayload,
  beginCommit,
  finish,
  fail,
  cancel,
  expire,
  look,
  survey,
  purge,
  enrol,
  reap,
  endFlights,
};

export type Operations = typeof operations;
