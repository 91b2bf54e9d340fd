/** Small values that several sections share. */
import { z } from 'zod';

/** RFC 9110 section 5.6.2: a token. Compared without case, kept in lower case. */
export const headerName = z
  .string()
  .regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, 'must be a header field name')
  .toLowerCase();

/** Fields by which answers are framed, and those of a request that must not come back. */
const notInAnswers = new Set([
  'authorization', 'connection', 'content-length', 'content-type', 'cookie', 'date', 'host', 'keep-alive', 'te', 'trailer',
  'transfer-encoding', 'upgrade',
]); // prettier-ignore

/** A field that the gateway adds to answers. */
export const answerHeaderName = headerName.refine(
  (name) => !notInAnswers.has(name),
  'is no field that can be added to answers',
);

/** RFC 6749 section 3.3: printable ASCII without space, `"` and `\`. */
export const scopeName = z
  .string()
  .regex(
    /^[\x21\x23-\x5b\x5d-\x7e]+$/,
    'must be a scope: printable ASCII without spaces, quotes and backslashes',
  );

/** Names of things in this file, used as metric labels. */
export const labelName = z
  .string()
  .min(1)
  .max(128)
  .regex(/^[\x20-\x7e]+$/, 'must be printable ASCII');

/** Accounts of its tokens are named after it: `main/alice`. */
export const issuerName = labelName.regex(/^[^/]*$/, 'must have no slash');

/** Visible ASCII and spaces: no line ends, so that a value cannot become a second field. */
export const headerValue = z.string().regex(/^[\x20-\x7e]*$/, 'must be printable ASCII');

/** A constant that may be a secret: it is not shown where the configuration in force is. */
export const secretText = <T extends z.ZodType>(text: T): T => text.meta({ writeOnly: true });

export const algorithmName = z.enum([
  'RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA', 'HS256', 'HS384', 'HS512',
]); // prettier-ignore

/** A claim, or the path to one inside of others. */
export const claimPath = z
  .union([z.string().min(1), z.array(z.string().min(1)).min(1)])
  .describe(
    'A claim, or the path to one inside of others as a list of names. A string is one name, dots and all.',
  );

/** An address, or a network (RFC 4632, RFC 4291). */
export const network = z.union([z.cidrv4(), z.cidrv6(), z.ipv4(), z.ipv6()]);
/** A file, relative to that of the configuration. */
export const fileName = z.string().min(1);

/** A whole number within bounds. */
export const count = (from: number, to: number): z.ZodInt => z.int().min(from).max(to);

export const portNumber = z.int().min(0).max(65_535);

/** Milliseconds; up to a day. */
export const duration = z.int().min(0).max(86_400_000);

export const httpUrl = z.string().refine((text) => {
  if (!URL.canParse(text)) return false;
  const { protocol, username, password, hash } = new URL(text);
  return (protocol === 'http:' || protocol === 'https:') && username === '' && password === '' && hash === '';
}, 'must be an http:// or https:// URL without credentials or fragment');
