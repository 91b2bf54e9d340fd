/**
 * What the upstream of a route is called towards proxies: its name, in characters that all of their configurations take.
 * An answer carries it, so that a proxy can go by our route table instead of keeping a second one.
 */
export const upstreamField = 'x-sallyport-upstream';

/** Different names have different tags. */
export function upstreamTag(name: string): string {
  return name.replaceAll(/[^A-Za-z0-9_-]/g, (char) => `.${char.charCodeAt(0).toString(16)}`);
}
