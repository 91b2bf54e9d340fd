/** A row of the route table in words: a cell for each column of `sallyport routes`. */
import type { RouteRow } from './route-table.ts';

/** Methods, path, tokens, scopes, what it is bound to, who answers, where it is written. */
export function cellsOf(row: RouteRow): readonly string[] {
  const { methods, path, tokens, scopes, subject, answer, at } = row;
  const anyOf = scopes.any.map((any) => (any.length === 1 ? any[0]! : `(${any.join(' or ')})`));
  return [
    methods?.join(',') ?? '*',
    path,
    row.public ? 'public' : tokens.map(tokenText).join(' '),
    [...scopes.all, ...anyOf].join(' and '),
    [
      ...(subject === null ? [] : [`{${subject}}`]),
      ...row.claims.map(
        ({ claim, equals }) =>
          `${claim.join('.')}=${typeof equals === 'string' ? `{${equals}}` : equals.join('|')}`,
      ),
      ...(row.accessHook === null ? [] : [`hook:${row.accessHook}`]),
    ].join(' '),
    answerText(answer),
    at,
  ];
}

const tokenText = ({ issuer, types }: RouteRow['tokens'][number]): string =>
  types === null ? issuer : `${issuer}:${types.join('|')}`;

function answerText(answer: RouteRow['answer']): string {
  if ('upstream' in answer) return answer.upstream;
  if ('ticket' in answer) return `tickets (${answer.ticket})`;
  if ('jwks' in answer) return 'itself (keys)';
  return 'respond' in answer ? `itself (${answer.respond})` : `logins (${answer.oauth})`;
}
