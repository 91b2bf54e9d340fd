/** Access hooks: services that are asked about permitted requests before these are served. */
import { z } from 'zod';
import { claimPath, count, httpUrl } from './scalars.ts';
import { section } from './section.ts';

export const accessHook = section({
  url: httpUrl.describe('Asked by POST; 200 or 204 lets the request pass, 403 refuses it, all else is 503.'),
  allow_http: z.boolean().default(false).describe('Permit http:// to hosts that are not loopback.'),
  claims: z
    .record(z.string().min(1), claimPath)
    .default({})
    .describe('Claims that the hook is told, by names of your choice.'),
  timeout_ms: count(10, 60_000).default(1000).describe('Longest wait for an answer; then 503.'),
  allowed_seconds: count(0, 3600).default(30).describe('How long a yes is kept; 0: not at all.'),
  denied_seconds: count(0, 3600).default(5).describe('How long a no is kept; 0: not at all.'),
  cache_entries: count(0, 1_000_000).default(10_000).describe('Answers kept by each listener thread.'),
  pending_max: count(1, 100_000)
    .default(1024)
    .describe('Questions under way of each listener thread; above it 503.'),
  connections: count(1, 1024).default(16).describe('Most connections of each listener thread.'),
});
