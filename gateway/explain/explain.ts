/**
 * One request explained from its policy to its answer: what `sallyport explain` prints and the console shows. The modules
 * that verify tokens and open the credential store are loaded only where they are used.
 */
import type { Config } from '../config/schema.ts';
import type { Environment } from '../config/substitute.ts';
import { refusals } from '../core/errors.ts';
import { accountOfRequest } from '../oauth/account.ts';
import type { Policy } from '../route/policy.ts';
import { type Explanation, explainRequest, type TokenReading } from './explanation.ts';
import type { KnownKeys } from './token-reading.ts';

export interface Explained {
  readonly explanation: Explanation;
  /** False where the signature of the token was not checked. */
  readonly verified: boolean;
}

export interface ExplainParts {
  readonly config: Config;
  readonly policy: Policy;
  readonly environment: Environment;
  /** Asked when there is a token. */
  readonly keys: () => KnownKeys | Promise<KnownKeys>;
  readonly nowSeconds: number;
}

/**
 * `token`: as it was given, with its scheme or without; empty for none. `certificate`: thumbprint of the one that the caller
 * would show.
 */
export async function explain(
  parts: ExplainParts,
  request: {
    readonly method: string;
    readonly target: string;
    readonly token: string;
    readonly certificate?: string | null;
  },
): Promise<Explained> {
  const { config, policy, nowSeconds } = parts;
  const token = await tokenOf(parts, request.token);
  const { method, target, certificate = null } = request;
  const targetBytesMax = config.listener.maxTargetBytes;
  const decided = explainRequest({ policy, targetBytesMax, method, target, token, certificate, nowSeconds });
  const explanation = await withCredential(decided, parts, token);
  return { explanation, verified: token.kind !== 'read' || token.verified };
}

/** The stored credential of a request that the policy lets through, where its route sends one upstream. */
async function withCredential(
  explanation: Explanation,
  { config: { oauth }, policy: { vocabulary }, nowSeconds, environment }: ExplainParts,
  token: TokenReading,
): Promise<Explanation> {
  const use = explanation.route?.credential ?? null;
  if (explanation.refusal !== null || use === null || oauth === undefined) return explanation;
  const { readCredential } = await import('./credential-reading.ts');
  const account = accountOfRequest(use, token.kind === 'read' ? token.facts : null, vocabulary);
  const step = await readCredential(oauth, use.provider, account, nowSeconds * 1000, environment);
  const refusal = step.passed || step.code === null ? null : refusals[step.code];
  return { ...explanation, steps: [...explanation.steps, step], refusal };
}

async function tokenOf({ config, policy, keys }: ExplainParts, given: string): Promise<TokenReading> {
  const token = given.trim().replace(/^bearer(?: +|$)/i, '');
  if (token === '') return { kind: 'none' };
  const { readToken } = await import('./token-reading.ts');
  return readToken(config, policy, token, await keys());
}
