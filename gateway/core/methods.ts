/** Request methods, as the small closed set that routes, metrics and the hot path index by. */

/** The methods a route can name. CONNECT and TRACE are refused before matching (RFC 9110 sections 9.3.6, 9.3.8). */
export const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const;

const indexes = new Map<string, number>(methods.map((method, index) => [method, index]));

/** Dense index of a method, or -1 for one that no route can name. Method names are case-sensitive (RFC 9110 section 9.1). */
export function methodIndex(name: string): number {
  return indexes.get(name) ?? -1;
}

/** The methods of a set of index bits, for `Allow` (RFC 9110 section 10.2.1). */
export function methodsOf(bits: number): string {
  return methods.filter((_, index) => (bits & (1 << index)) !== 0).join(', ');
}

/** Safe to send again after a connection died under it (RFC 9110 section 9.2.2). */
export function isIdempotent(method: string): boolean {
  return method !== 'POST' && method !== 'PATCH';
}
