/** Error profiles: how refusals are told to callers who expect another shape than RFC 9457. */
import { z } from 'zod';
import { section } from './section.ts';

export const errorProfile = section({
  body: z
    .enum(['problem', 'detail'])
    .default('problem')
    .describe(
      '`problem`: RFC 9457. `detail`: `{"detail": ...}` as application/json, 401 for a missing token only, 403 for any other that will not do.',
    ),
  challenge: z
    .boolean()
    .optional()
    .describe('Send WWW-Authenticate (RFC 6750). Default: with `problem` only.'),
  reasons: z
    .boolean()
    .default(false)
    .describe('With `detail`: say why a token will not do, in place of one text for all reasons.'),
}).transform(({ body, challenge, reasons }) => ({
  body,
  challenge: challenge ?? body === 'problem',
  reasons,
}));
