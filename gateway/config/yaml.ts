/** Text to a YAML 1.2 document, with what is wrong with it as YAML. */
import { Composer, Parser, type CST, type Document, type LineCounter } from 'yaml';

export type Range = readonly [start: number, end: number];

export interface YamlFault {
  readonly message: string;
  readonly range: Range;
}

export interface YamlDocument {
  /** Null when its values would be guesses. */
  readonly document: Document.Parsed | null;
  readonly faults: readonly YamlFault[];
}

/** Levels of mappings and lists within one another. */
export const depthMax = 100;

export function parseYaml(text: string, lines: LineCounter): YamlDocument {
  const tokens = [...new Parser(lines.addNewLine).parse(hideBraces(text))];
  // The composer recurses, and where its stack ends inside of a regular expression the whole process does.
  if (isTooDeep(tokens)) return unreadable('the file is nested too deeply');
  const composer = new Composer({ version: '1.2', schema: 'core', uniqueKeys: true });
  const [document, second] = [...composer.compose(tokens, true, text.length)] as Document.Parsed[];
  if (document === undefined) return unreadable('the file holds no document');
  if (document.directives.yaml.version !== '1.2')
    return unreadable('only YAML 1.2 is understood; remove the %YAML directive');
  const faults = [...withoutEchoes(document.errors), ...document.warnings].map(
    ({ code, message, pos }): YamlFault => ({
      message: code === 'DUPLICATE_KEY' ? 'this key is there twice' : showBraces(message),
      range: pos,
    }),
  );
  if (second !== undefined) {
    const [start] = second.range;
    faults.push({
      message: 'a configuration is one YAML document; a second one begins here',
      range: [start, start],
    });
  }
  // A repeated key leaves the rest readable.
  const isReadable = second === undefined && document.errors.every(({ code }) => code === 'DUPLICATE_KEY');
  return { document: isReadable ? document : null, faults };
}

const unreadable = (message: string): YamlDocument => ({
  document: null,
  faults: [{ message, range: [0, 0] }],
});

/** Looks at one level after the other, without recursion. */
function isTooDeep(tokens: readonly CST.Token[]): boolean {
  let level = tokens;
  for (let depth = 0; depth <= depthMax; depth++) {
    level = level.flatMap((token) => membersOf(token));
    if (level.length === 0) return false;
  }
  return true;
}

function membersOf(token: CST.Token): readonly CST.Token[] {
  if (token.type === 'document') return token.value === undefined ? [] : [token.value];
  if (token.type !== 'block-map' && token.type !== 'block-seq' && token.type !== 'flow-collection') return [];
  return (token.items as readonly CST.CollectionItem[]).flatMap(({ key, value }) =>
    [key, value].filter((member): member is CST.Token => member !== undefined && member !== null),
  );
}

/**
 * Inside `{ }` and `[ ]` YAML takes the braces of `/{id}` and `${env:NAME}` for its own, although nothing else can be meant
 * by them there. They are hidden from the parser behind characters of the same length, so that places stay what they are.
 */
const hiddenBraces = ['\uE000', '\uE001'] as const;

function hideBraces(text: string): string {
  const [open, close] = hiddenBraces;
  if (text.includes(open) || text.includes(close)) return text;
  return text
    .replaceAll(/(?<=\/)\{([A-Za-z_][\w-]*\*?)\}/g, `${open}$1${close}`)
    .replaceAll(/(?<=\$)\{([^{}\n]*)\}/g, `${open}$1${close}`);
}

/** Undoes the hiding in a text that came out of the parser. */
export function showBraces(text: string): string {
  const [open, close] = hiddenBraces;
  return text.replaceAll(open, '{').replaceAll(close, '}');
}

/** Once the parser has lost its way, it finds every further token unexpected, and every open bracket unclosed at the end. */
function withoutEchoes<E extends { readonly code: string; readonly pos: Range }>(
  errors: readonly E[],
): readonly E[] {
  const seen = new Set<string>();
  return errors.filter(({ code, pos }) => {
    const key = code === 'UNEXPECTED_TOKEN' ? code : `${code} ${pos[0]}`;
    return !seen.has(key) && seen.add(key);
  });
}
