/** WebSockets on a route: who may open one, how its token comes, and the limits of one that is open. */
import { z } from 'zod';
import { tokenCarriers } from '../route/source.ts';
import { count, duration, labelName } from './scalars.ts';
import { section } from './section.ts';

const origin = z.union([
  z.literal('*'),
  z.string().refine((text) => URL.canParse(text) && new URL(text).origin === text, {
    message: 'must be an origin such as https://app.example, without a path, or `*`',
  }),
]);

export const webSocket = section({
  origins: z
    .array(origin)
    .min(1)
    .optional()
    .describe('Origins of the pages that may open one; `*` is any. Default: that of the Host asked for.'),
  require_origin: z
    .boolean()
    .default(false)
    .describe('Refuse requests without Origin, which programs other than browsers leave out.'),
  token_in: z
    .array(z.enum(tokenCarriers))
    .default([])
    .describe('Where a token may be besides the Authorization field, for browsers, which cannot set it.'),
  token_prefix: z
    .string()
    .regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}$/, 'must be part of a subprotocol name')
    .default('bearer.')
    .describe('What an offered subprotocol begins with that is a token.'),
  max_message_bytes: count(1, 16_777_216)
    .default(1_048_576)
    .describe('Largest message; above it close 1009.'),
  max_buffered_bytes: count(65_536, 268_435_456)
    .default(4_194_304)
    .describe('What may wait for an upstream that is slow to read; above it close 1013.'),
  idle_timeout_ms: duration
    .default(0)
    .describe('Longest time without a message. 0: no limit; peers that are gone are found by pings.'),
  renew_by: z
    .string()
    .regex(/^[\w.-]{1,64}$/)
    .optional()
    .describe('Member of a text message, a JSON object with no other, that brings a new token.'),
});

export const ticket = section({
  for: labelName.describe('Id of the route that they open a WebSocket on.'),
  seconds: count(1, 300).default(30).describe('How long one is good.'),
});
