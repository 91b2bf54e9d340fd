/** What a route's upstream gets besides the request: claims as fields, constant fields, and what is left out. */
import type { Chain } from './inherit.ts';
import { nearest } from './inherit.ts';
import type { ClaimHeader, Forwarding, Projection } from './policy.ts';
import type { ConfigPath, ProblemList } from './problem.ts';
import type { ClaimHeaderSource } from './source.ts';

/** Fields that the gateway writes itself, or that belong to one connection (RFC 9110 section 7.6.1). */
const reserved = new Set([
  'connection', 'content-length', 'expect', 'forwarded', 'host', 'http2-settings', 'keep-alive', 'proxy-connection',
  'te', 'trailer', 'transfer-encoding', 'upgrade', 'via', 'x-forwarded-for', 'x-forwarded-host', 'x-forwarded-port',
  'x-forwarded-proto',
]); // prettier-ignore

/** Field names as many servers compare them: without case, `_` like `-`. */
export const normalName = (name: string): string => name.toLowerCase().replaceAll('_', '-');

/** Projections that any route uses; two routes that forward a claim alike share one. */
export class Projections {
  readonly #indexes = new Map<string, number>();
  readonly #list: Projection[] = [];

  add(source: ClaimHeaderSource): number {
    const projection = projectionOf(source);
    const key = JSON.stringify(projection);
    let index = this.#indexes.get(key);
    if (index === undefined) {
      index = this.#list.push(projection) - 1;
      this.#indexes.set(key, index);
    }
    return index;
  }

  get list(): readonly Projection[] {
    return this.#list;
  }
}

const isPath = (source: ClaimHeaderSource): source is string | readonly string[] =>
  typeof source === 'string' || Array.isArray(source);

function projectionOf(source: ClaimHeaderSource): Projection {
  const { claim, join, json } = isPath(source) ? { claim: source } : source;
  return { path: typeof claim === 'string' ? [claim] : claim, join: join ?? null, json: json ?? false };
}

/** Says what is wrong with the fields that one node forwards. */
export function checkForward(level: Chain[number], isPublic: boolean, problems: ProblemList): void {
  const { forward } = level.node;
  if (forward === undefined) return;
  const at = [...level.at, 'forward'];
  const claims = Object.entries(forward.claims ?? {});
  if (isPublic && claims.length > 0)
    problems.add([...at, 'claims'], 'a public route has no token to take claims from');
  for (const [name, source] of claims) {
    if (!isPath(source) && source.json === true && source.join !== undefined) {
      problems.add([...at, 'claims', name], '`join` and `json` exclude each other');
    }
  }
  checkNames(at, forward, problems);
  if (forward.authorization === true && Object.hasOwn(forward.set ?? {}, 'authorization')) {
    problems.add([...at, 'authorization'], 'the Authorization field is both forwarded and set');
  }
}

function checkNames(
  at: ConfigPath,
  forward: NonNullable<Chain[number]['node']['forward']>,
  problems: ProblemList,
): void {
  const places = new Map<string, string>();
  for (const key of ['claims', 'set'] as const) {
    for (const name of Object.keys(forward[key] ?? {})) {
      const place = [...at, key, name];
      const normal = normalName(name);
      if (reserved.has(normal))
        problems.add(place, `the field "${name}" is written by the gateway itself`, { atKey: true });
      const other = places.get(normal);
      if (other !== undefined)
        problems.add(place, `the field "${name}" is already made by \`${other}\``, { atKey: true });
      places.set(normal, `${key}.${name}`);
    }
  }
}

/** Merges `forward` over the levels: a field of a nearer level replaces one of the same name, whatever makes it. */
export function forwardingOf(chain: Chain, isPublic: boolean, projections: Projections): Forwarding {
  const claims = new Map<string, readonly [string, ClaimHeaderSource]>();
  const set = new Map<string, readonly [string, string]>();
  const remove = new Set<string>();
  for (const { node } of chain) {
    for (const [name, source] of Object.entries(node.forward?.claims ?? {})) {
      set.delete(normalName(name));
      claims.set(normalName(name), [name, source]);
    }
    for (const [name, value] of Object.entries(node.forward?.set ?? {})) {
      claims.delete(normalName(name));
      set.set(normalName(name), [name, value]);
    }
    for (const name of node.forward?.remove ?? []) remove.add(normalName(name));
  }
  for (const name of set.keys()) remove.add(name);
  return {
    claims: isPublic
      ? []
      : [...claims.values()].map(([name, source]): ClaimHeader => {
          const required = !isPath(source) && source.required === true;
          return { name, projection: projections.add(source), required };
        }),
    set: [...set.values()].flat(),
    remove: [...remove],
    authorization: nearest(chain, ({ forward }) => forward?.authorization)?.value ?? false,
    host: nearest(chain, ({ forward }) => forward?.host)?.value ?? 'upstream',
  };
}
