/** An explanation, printed: for people as lines, for programs as JSON. */
import { statusIn } from '../route/error-profile.ts';
import type { Route, Vocabulary } from '../route/policy.ts';
import { showPath } from '../route/problem.ts';
import { wantsOf, type Explanation, type Step } from '../explain/explanation.ts';
import { inheritedBy, servedBy } from '../explain/wording.ts';
import type { Colors } from './terminal.ts';

export function explanationAsText(
  explanation: Explanation,
  verified: boolean,
  words: Vocabulary,
  colors: Colors,
): string {
  const { method, target, route, steps, refusal } = explanation;
  const lines = [colors.bold(`${method} ${target}`), ''];
  if (route !== null) lines.push(...routeLines(route, explanation.besides, words), '');
  const firstFailed = steps.findIndex(({ passed }) => !passed);
  const width = Math.max(...steps.map(({ check }) => check.length));
  for (const [index, step] of steps.entries()) {
    lines.push(
      `  ${markOf(step, index === firstFailed, colors)} ${step.check.padEnd(width)}  ${colors.dim(step.detail)}`,
    );
  }
  lines.push('');
  const proviso = verified ? '' : colors.yellow(', provided that the signature holds');
  if (refusal === null) lines.push(`${colors.green(servedBy(route))}${proviso}`);
  else {
    lines.push(`${colors.red(`${statusIn(explanation.errors, refusal)} ${refusal.code}`)}: ${refusal.title}`);
    if (explanation.allow.length > 0) lines.push(`Allow: ${explanation.allow.join(', ')}`);
  }
  return `${lines.join('\n')}\n`;
}

function markOf(step: Step, isFirstFailed: boolean, colors: Colors): string {
  if (step.passed) return colors.green('pass');
  return isFirstFailed ? colors.red('FAIL') : colors.red('fail');
}

function routeLines(route: Route, besides: readonly string[], words: Vocabulary): string[] {
  const { id, pattern, methods, origin, access } = route;
  const lines = [
    `  route    ${id}`,
    `  pattern  ${methods === null ? 'every method' : methods.join(', ')} ${pattern}`,
    `  written  ${showPath(origin.at)}`,
  ];
  for (const [setting, place] of Object.entries(inheritedBy(route)))
    lines.push(`           ${setting} from ${place}`);
  for (const [type, places] of Object.entries(origin.tokenTypes))
    lines.push(`           token type ${type} from ${places.map(showPath).join(', ')}`);
  lines.push(`  asks for ${access === null ? 'nothing: it is public' : wantsOf(access, words)}`);
  for (const sentence of besides) lines.push(`           ${sentence}`);
  return lines;
}

/** `version` changes with the shape. Checks behind the first that failed are told too. */
export function explanationAsJson(explanation: Explanation, verified: boolean): string {
  const { method, target, route, steps, refusal, allow } = explanation;
  const report = {
    version: 1,
    method,
    target,
    route:
      route === null
        ? null
        : {
            id: route.id,
            pattern: route.pattern,
            methods: route.methods,
            at: showPath(route.origin.at),
            from: inheritedBy(route),
            besides: explanation.besides,
          },
    checks: steps,
    verified,
    answer:
      refusal === null
        ? { served: true, upstream: route?.upstream ?? null, status: route?.respond?.status ?? null }
        : {
            served: false,
            status: statusIn(explanation.errors, refusal),
            code: refusal.code,
            title: refusal.title,
            allow,
          },
  };
  return `${JSON.stringify(report, null, 2)}\n`;
}
