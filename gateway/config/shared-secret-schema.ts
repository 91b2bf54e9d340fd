/** The shared secret of HS algorithms, as members of the sections of those who verify and who sign with one. */
import { z } from 'zod';

export const sharedSecret = {
  secret_file: z
    .string()
    .min(1)
    .optional()
    .describe('The shared secret of HS algorithms, as a file; watched.'),
  secret_env: z
    .string()
    .min(1)
    .optional()
    .describe('The shared secret of HS algorithms, as the name of an environment variable.'),
  secret_encoding: z
    .enum(['utf8', 'base64url', 'base64', 'hex'])
    .default('utf8')
    .describe('How the secret is written.'),
};
