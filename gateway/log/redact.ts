/**
 * What never reaches a log line, by two nets: members whose *name* says secret, wherever they are in the record, and text
 * that *looks* like a credential, wherever it is in the line.
 */

export const censored = '[redacted]';

const depthMax = 6;
const membersMax = 64;

/** `code` is the authorization code of OAuth; refusals and system errors are logged under other names. */
const secretName =
  /authorization|cookie|token|secret|passw|credential|assertion|code[-_]?verifier|api[-_]?key|private[-_]?key|^(?:code|user[-_]?code|device[-_]?code|state|nonce|claims?|sub|subject)$/i;

/** A copy of a record without secrets, bounded in depth and width. */
export function redactMembers(record: Record<string, unknown>): Record<string, unknown> {
  return redactObject(record, 0);
}

function redactObject(record: object, depth: number): Record<string, unknown> {
  const copy: Record<string, unknown> = {};
  let count = 0;
  for (const [name, value] of Object.entries(record)) {
    if (++count > membersMax) break;
    copy[name] = secretName.test(name) ? censored : redactValue(value, depth + 1);
  }
  return copy;
}

function redactValue(value: unknown, depth: number): unknown {
  if (value instanceof Error) return redactError(value, depth);
  if (typeof value !== 'object' || value === null) return value;
  if (depth >= depthMax) return '[deep]';
  if (Array.isArray(value)) return value.slice(0, membersMax).map((item) => redactValue(item, depth + 1));
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  if (value instanceof URL) return value.origin + value.pathname;
  return redactObject(value, depth);
}

/** An error as type, message and stack; the system's code as `errno`, since `code` is censored. */
function redactError(error: Error, depth: number): Record<string, unknown> {
  const { code } = error as { code?: unknown };
  return {
    type: error.name,
    message: error.message,
    ...(typeof code === 'string' ? { errno: code } : {}),
    ...(error.stack === undefined ? {} : { stack: error.stack }),
    ...(error.cause instanceof Error && depth < depthMax
      ? { cause: redactError(error.cause, depth + 1) }
      : {}),
  };
}

/** A JWS or JWE in compact form, or the beginning of one: a JSON object in base64url and a dot. */
const compactToken = /\beyJ[\w-]{5,}(?:\.[\w-]*){1,4}/g;
/** Credentials of the Authorization field. */
const credentials = /\b(bearer|basic|dpop)(\s+)[\w\-.~+/]{6,}=*/gi;
/** Parameters of a query or a form. */
const parameters =
  /([?&"\s](?:code|state|token|access_token|refresh_token|id_token|client_secret|client_assertion|device_code|user_code|code_verifier|password)=)[^&"\s\\]+/gi;
/** User and password of a URL. */
const userInfo = /(\b[a-z][a-z0-9+.-]*:\/\/)[^/@\s"\\]+@/gi;

/** A finished line without anything that looks like a credential. Never lengthens what is between quotes into invalid JSON. */
export function redactText(line: string): string {
  return line
    .replace(compactToken, censored)
    .replace(credentials, `$1$2${censored}`)
    .replace(parameters, `$1${censored}`)
    .replace(userInfo, `$1${censored}@`);
}
