/** Signers: keys by which the gateway makes tokens of its own, and what these say. */
import { z } from 'zod';
import { algorithmName, answerHeaderName, count, headerName, labelName } from './scalars.ts';
import { section } from './section.ts';
import { sharedSecret } from './shared-secret-schema.ts';

export const signer = section({
  algorithm: algorithmName.describe(
    'How tokens are signed. RSA keys keep a listener busy: 0.3 ms for a token with 2048 bits, 4 ms with 4096.',
  ),
  key_file: z
    .string()
    .min(1)
    .optional()
    .describe(
      'The private key: PKCS #8 (PEM), a JWK, or a JWK Set whose first key signs and whose keys are all published; watched.',
    ),
  ...sharedSecret,
  kid: z
    .string()
    .min(1)
    .max(256)
    .optional()
    .describe('Name of the key. Default: its RFC 7638 thumbprint; none for a secret.'),
  issuer: z.string().min(1).optional().describe('`iss`. Default: that of the token it is made from.'),
  audience: z.string().min(1).optional().describe('`aud`. Default: that of the token it is made from.'),
  lifetime_seconds: count(1, 31_536_000).default(600).describe('From `iat` to `exp`.'),
});

/** Tokens of an issuer that are made anew before they expire. */
export const renewal = section({
  signer: labelName.describe('A name of the section `signers`.'),
  header: answerHeaderName.describe('Field of the answer that brings the new token.'),
  except_types: z.array(z.string().min(1)).default([]).describe('Token types that are never renewed.'),
  share_percent: count(0, 100)
    .default(20)
    .describe(
      'A token is renewed when this share of its lifetime is left, or floor_seconds if that is more.',
    ),
  floor_seconds: count(0, 86_400).default(30).describe('The least that is left then.'),
  answers: z
    .enum(['served', 'all'])
    .default('served')
    .describe(
      '`served`: requests that were permitted. `all`: also refusals that are not about the token, 404 and 405, and public routes, where a good token is then looked for.',
    ),
  max_total_age_seconds: count(1, 315_360_000)
    .optional()
    .describe('No renewal beyond this age, counted from the first token; kept in the claim `orig_iat`.'),
  stop_header: headerName
    .optional()
    .describe('Field of an upstream’s answer that forbids the renewal; not passed on.'),
});

export const exchange = section({
  signer: labelName.describe('A name of the section `signers`.'),
  from: z.array(z.string().min(1)).min(1).describe('Token types that are exchanged.'),
  to: z
    .string()
    .min(1)
    .describe('Type of the new token, which has the subject of the old one and nothing else.'),
  header: answerHeaderName.describe('Field of the answer that brings the new token.'),
});
