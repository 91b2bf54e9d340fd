/** Decisions for other proxies: where they are asked for, by whom, and how long an answer may be kept. */
import { z } from 'zod';
import { decisionModes } from '../decision/mode.ts';
import { count, network } from './scalars.ts';
import { section } from './section.ts';

const mount = section({
  mode: z
    .enum(decisionModes)
    .describe('Who asks, and so which fields say what is asked. `batch`: many at once, as JSON.'),
  path: z
    .string()
    .max(256)
    .regex(/^(?:\/[\w~-][\w~.-]*)+$/, 'must be a plain path without a slash at its end')
    .optional()
    .describe('Where it is asked for, before any route. Default: `/-/decide/` and the mode.'),
  unmatched: z
    .union([z.literal(403), z.literal(404)])
    .optional()
    .describe('Answer where no route matches. Default: 404; nginx takes 403 only.'),
});

export const decision = section({
  peers: z.array(network).min(1).optional().describe('Who may ask. Default: `listener.trusted_proxies`.'),
  cache_max_seconds: count(0, 3600)
    .default(0)
    .describe('How long an answer may be kept; a token that expires earlier shortens it. 0: not at all.'),
  mounts: z.array(mount).min(1).max(16).describe('Where decisions are asked for.'),
});
