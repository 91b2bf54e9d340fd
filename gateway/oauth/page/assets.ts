/** The two files of the login page. */
import { assetCacheControl, isKnownAsset, makeAsset } from '../../page/asset.ts';
import type { Answer } from '../http/answer.ts';
import { scriptText } from './script.ts';
import { styleText } from './style.ts';

export const assets = {
  style: makeAsset('page', 'css', styleText),
  script: makeAsset('page', 'js', scriptText),
} as const;

/** Null when there is no such file. `ifNoneMatch`: the field of that name. */
export function assetAnswer(name: string, ifNoneMatch: string): Answer | null {
  const found = Object.values(assets).find((each) => each.name === name);
  if (found === undefined) return null;
  const { mediaType, etag, text } = found;
  const headers = ['content-type', mediaType, 'etag', etag, 'cache-control', assetCacheControl];
  const isKnown = isKnownAsset(found, ifNoneMatch);
  return { status: isKnown ? 304 : 200, headers, body: isKnown ? '' : text, isConstant: true };
}
