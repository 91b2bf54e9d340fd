/** PromQL as its own grammar reads it: what a query names, and how. */
import { parser } from '@prometheus-io/lezer-promql';

type SyntaxNode = ReturnType<typeof parser.parse>['topNode'];

export interface Selector {
  readonly metric: string;
  readonly labels: readonly string[];
  /** As written, without brackets; null for an instant vector. */
  readonly window: string | null;
  /** The function that takes it at once: `rate`, `sum`, or null. */
  readonly within: string | null;
}

export interface Query {
  /** Where it cannot be read, with the text that stands there. */
  readonly errors: readonly string[];
  readonly selectors: readonly Selector[];
}

/** Grafana's variables, which are no PromQL, as durations of the same number of characters. */
const windows: Readonly<Record<string, string>> = { $__rate_interval: '11d', $__range: '12d' };

export function parse(expr: string): Query {
  const text = expr.replaceAll(/\$__rate_interval|\$__range/g, (name) => windows[name]!);
  const errors: string[] = [];
  const selectors: Selector[] = [];
  parser.parse(text).iterate({
    enter(node) {
      if (node.type.isError) errors.push(`${String(node.from)}: ${text.slice(node.from)}`);
      if (node.name === 'VectorSelector') selectors.push(selectorOf(node.node, text));
    },
  });
  return { errors, selectors };
}

function selectorOf(node: SyntaxNode, text: string): Selector {
  const textOf = (part: SyntaxNode | null): string => (part === null ? '' : text.slice(part.from, part.to));
  const matchers = node.getChild('LabelMatchers')?.getChildren('UnquotedLabelMatcher') ?? [];
  const matrix = node.parent?.name === 'MatrixSelector' ? node.parent : null;
  const call = (matrix ?? node).parent?.parent;
  return {
    metric: textOf(node.getChild('Identifier')),
    labels: matchers.map((matcher) => textOf(matcher.getChild('LabelName'))),
    window: matrix === null ? null : written(textOf(matrix.lastChild)),
    within: call?.name === 'FunctionCall' ? textOf(call.getChild('FunctionIdentifier')) : null,
  };
}

function written(duration: string): string {
  return Object.keys(windows).find((name) => windows[name] === duration) ?? duration;
}
