/**
 * HTML as tagged templates: what is put into one is escaped, unless it was made by one. The only file that decides what is
 * markup; fit for text and for attribute values in double quotes, and for nothing else.
 */
const markup: unique symbol = Symbol('markup');

export interface Html {
  readonly [markup]: string;
}

/** What may stand in a template. Null, false and undefined are nothing. */
export type Part = Html | string | number | null | false | undefined | readonly Part[];

const escapes: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
  '`': '&#96;',
};

export function html(texts: TemplateStringsArray, ...parts: readonly Part[]): Html {
  const pieces = texts.map((text, index) => text + (index < parts.length ? rendered(parts[index]) : ''));
  return { [markup]: pieces.join('') };
}

export function rendered(part: Part): string {
  if (part === null || part === false || part === undefined) return '';
  if (typeof part === 'number') return String(part);
  if (typeof part === 'string') return part.replaceAll(/[&<>"'`]/g, (char) => escapes[char]!);
  if (markup in part) return part[markup];
  return part.map(rendered).join('');
}

/** An address for `href`: what is not https:// or http:// is left out, for `javascript:` needs no character to escape. */
export function link(address: string): string {
  if (!URL.canParse(address)) return '#';
  return /^https?:$/.test(new URL(address).protocol) ? address : '#';
}
