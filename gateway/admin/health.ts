/**
 * Readiness: should a load balancer send requests here now? Said check by check, in the form Kubernetes made familiar.
 * What a check means is decided where it is made; an issuer that is down is no failed check while its keys still serve.
 */
import { text, type Answer } from './answer.ts';

export interface Check {
  /** Constant, or with a name of the configuration: `config`, `listeners`, `keys:main`, `draining`. */
  readonly name: string;
  readonly ok: boolean;
  /** One short sentence for the operator. */
  readonly detail?: string;
}

/** `?verbose` lists every check; `?exclude=NAME`, repeatable, leaves checks out. An unknown name is said, and excludes nothing. */
export function readinessOf(checks: readonly Check[], query: URLSearchParams): Answer {
  const excluded = new Set(query.getAll('exclude').flatMap((names) => names.split(',')));
  const counted = checks.filter(({ name }) => !excluded.has(name));
  const ready = counted.every(({ ok }) => ok);
  const status = ready ? 200 : 503;
  if (ready && !query.has('verbose')) return text(status, 'ok\n');

  const lines = checks.map((check) => {
    if (excluded.has(check.name)) return `[+] ${check.name}: excluded`;
    const detail = check.detail === undefined ? '' : `: ${check.detail}`;
    return `[${check.ok ? '+' : '-'}] ${check.name}${detail || (check.ok ? ': ok' : ': failed')}`;
  });
  for (const name of excluded) {
    if (!checks.some((check) => check.name === name))
      lines.push(`[?] no such check: ${JSON.stringify(name)}`);
  }
  return text(status, [...lines, ready ? 'ready' : 'not ready', ''].join('\n'));
}
