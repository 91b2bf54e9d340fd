/** A file of a page. Its name changes with what is in it, so that browsers may keep it for good. */
import { createHash } from 'node:crypto';

export interface Asset {
  readonly name: string;
  /** Subresource integrity, as the attribute has it. */
  readonly integrity: string;
  readonly etag: string;
  readonly mediaType: string;
  readonly text: string;
}

const mediaTypes = { css: 'text/css; charset=utf-8', js: 'text/javascript; charset=utf-8' } as const;

/** How long browsers keep it: a year, without asking (RFC 8246). */
export const assetCacheControl = 'public, max-age=31536000, immutable';

export function makeAsset(stem: string, extension: keyof typeof mediaTypes, text: string): Asset {
  const digest = createHash('sha256').update(text).digest();
  const short = digest.toString('hex').slice(0, 16);
  return {
    name: `${stem}.${short}.${extension}`,
    integrity: `sha256-${digest.toString('base64')}`,
    etag: `"${short}"`,
    mediaType: mediaTypes[extension],
    text,
  };
}

/** `ifNoneMatch`: what the browser has already (RFC 9110 section 13.1.2). */
export function isKnownAsset({ etag }: Asset, ifNoneMatch: string): boolean {
  return ifNoneMatch.split(',').some((tag) => tag.trim().replace(/^W\//, '') === etag);
}
