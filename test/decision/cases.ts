/** Requests from a seed: routes, methods, tokens good and bad, forged identity fields, disguised paths. */
import { mint, signers } from '../hardening/arena.ts';

export interface Case {
  readonly index: number;
  readonly method: string;
  readonly target: string;
  readonly token: string | undefined;
  /** Forged and odd field lines, each with its CRLF. */
  readonly fields: string;
  readonly body: string;
}

const targets = [
  '/orders', '/orders/7', '/orders/7?upstream=billing&mode=x', '/open/x?upstream=', '/orders/7?a=%2F..%2F&b=;', '/orders/alice/cart', '/orders/bob/cart', '/orders/named', '/orders/passing',
  '/open', '/open/a/b', '/open/a%20b?x', '/open/%C3%A9', '/open/...', '/open/.well-known', '/own', '/own', '/own', '/own/x', '/nowhere', '/', '/ordersx',
  '/lenient/a;b', '/lenient/a%2Fb', '/lenient//a',
]; // prettier-ignore

/** Another path to some reader than to another. */
const tricks = [
  '/open/../orders/7', '/open/%2e%2e/orders/7', '/open/.%2e/orders/7', '/open/./x', '/open//x', '//orders/7', '/orders//7', '/open/..;/orders/7',
  '/open/a%2f..%2f..%2forders/7', '/open/%2e%2e%2forders/7', '/open%2f..%2forders/7', '/open/x%5c..%5corders', '/open/x;/../orders', '/open/%00',
  '/open/%c0%ae%c0%ae/orders', '/open/%', '/open/%zz', '/open/%252e%252e/orders', '/orders/%2e%2e/open/x', '/lenient/../orders/7',
  '/lenient/%2e%2e/orders/7', '/lenient/..%2forders/7', '/lenient//orders/7', '/lenient/;/orders/7', '/lenient;/../orders/7', '/lenient/x%2F..%2F..%2Forders/7',
  '/%6frders/7', '/Orders/7', '/orders/7/', '/orders/7/.', '/orders/%61lice/cart', '/orders/alice%2Fcart', '/orders/alice/cart/', '/orders/alice/%63art', '/own?/../orders', '/own%3f/../orders', '/open/x#/../orders',
]; // prettier-ignore

const methods = ['GET', 'GET', 'GET', 'HEAD', 'PUT', 'PUT', 'POST', 'DELETE', 'PATCH', 'OPTIONS', 'PROPFIND'];

const forgeries = [
  'X-User: root\r\n', 'x_user: root\r\n', 'X-User: root\r\nX-User: admin\r\n', 'X-Org-Unit: root\r\nx-org_unit: root\r\nx_org-unit: root\r\nX_Org_Unit: root\r\n',
  'X-Groups: root\r\nX_Groups: root\r\n', 'X-Via-Policy: root\r\n', 'X-Sallyport-Upstream: billing\r\n', 'X-Sallyport-Upstream: orders\r\nX_Sallyport_Upstream: orders\r\n',
  'X-Original-URI: /open/x\r\nX-Original-Method: GET\r\n', 'X-Forwarded-Uri: /open/x\r\nX-Forwarded-Method: GET\r\n', 'X-User: \r\n',
]; // prettier-ignore

/** Claims beyond the usual; null for no token. */
const tokens: readonly (() => string | undefined)[] = [
  () => mint({ sub: 'alice' }),
  () => mint({ sub: 'alice', scope: 'orders:read orders:write', org: 'sales' }),
  () => mint({ sub: 'bob', scope: 'orders:read orders:write' }, {}, signers.es),
  () => mint({ sub: 'alice', scope: 'orders:write' }),
  () => mint({ sub: 'alice', exp: 1 }),
  () => mint({ sub: 'alice', aud: 'else' }),
  () => mint({ sub: 'alice', org: 'a\nb' }),
  () => `${mint({ sub: 'alice' }).slice(0, -8)}AAAAAAAA`,
  () => 'no.token',
  () => undefined,
  () => undefined,
];

/** A generator of numbers in [0, 1) that is the same everywhere: a 32-bit linear congruence (Numerical Recipes). */
function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

export function casesFrom(seed: number, count: number): readonly Case[] {
  const random = randomFrom(seed);
  const one = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!;
  return Array.from({ length: count }, (_, index) => {
    const method = one(methods);
    const target = random() < 0.65 ? one(targets) : one(tricks);
    const isGood = random() < 0.4;
    const token = (isGood ? one(tokens.slice(0, 3)) : one(tokens))();
    const forged = random() < 0.7 ? one(forgeries) + one(forgeries) : '';
    const body = /^(?:PUT|POST|PATCH)$/.test(method) ? 'x'.repeat(Math.floor(random() * 20_000)) : '';
    return { index, method, target, token, fields: forged, body };
  });
}
