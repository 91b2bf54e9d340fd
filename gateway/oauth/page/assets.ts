/** The two files of the page. Their names change with what is in them, so that browsers may keep them for good. */
import { createHash } from 'node:crypto';
import type { Answer } from '../http/answer.ts';
import { scriptText } from './script.ts';
import { styleText } from './style.ts';

interface Asset {
  readonly name: string;
  readonly integrity: string;
  readonly etag: string;
  readonly mediaType: string;
  readonly text: string;
}

function asset(extension: string, mediaType: string, text: string): Asset {
  const digest = createHash('sha256').update(text).digest();
  const short = digest.toString('hex').slice(0, 16);
  return {
    name: `page.${short}.${extension}`,
    integrity: `sha256-${digest.toString('base64')}`,
    etag: `"${short}"`,
    mediaType,
    text,
  };
}

export const assets = {
  style: asset('css', 'text/css; charset=utf-8', styleText),
  script: asset('js', 'text/javascript; charset=utf-8', scriptText),
} as const;

/** Null when there is no such file. `ifNoneMatch`: what the browser has already (RFC 9110 section 13.1.2). */
export function assetAnswer(name: string, ifNoneMatch: string): Answer | null {
  const found = Object.values(assets).find((each) => each.name === name);
  if (found === undefined) return null;
  const headers = [
    'content-type',
    found.mediaType,
    'etag',
    found.etag,
    'cache-control',
    'public, max-age=31536000, immutable',
  ];
  const isKnown = ifNoneMatch.split(',').some((tag) => tag.trim().replace(/^W\//, '') === found.etag);
  return { status: isKnown ? 304 : 200, headers, body: isKnown ? '' : found.text, isConstant: true };
}
