import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { retyped, substitute } from '../../gateway/config/substitute.ts';

const env = { HOST: 'gw.example', PORT: '8080', EMPTY: '', NESTED: '${env:HOST}', DOLLAR: '$$' };

describe('references are replaced by the environment', () => {
  test.each([
    ['${env:HOST}', 'gw.example'],
    ['${HOST}', 'gw.example'],
    ['http://${HOST}:${env:PORT}/', 'http://gw.example:8080/'],
    ['${env:NONE:-x}', 'x'],
    ['${NONE:-}', ''],
    ['${env:EMPTY:-x}', 'x'],
    ['${EMPTY}', ''],
    ['${env:HOST:-x}', 'gw.example'],
    ['${env:HOST:?is needed}', 'gw.example'],
    ['${env:NONE:-a:-b?}', 'a:-b?'],
    // What comes out of the environment is not looked at again.
    ['${NESTED}', '${env:HOST}'],
    ['${DOLLAR}', '$$'],
  ])('%s', (source, text) => {
    expect(substitute(source, env)).toEqual({ ok: true, text, fromEnvironment: true });
  });

  test.each([
    ['$${env:HOST}', '${env:HOST}'],
    ['$$$$', '$$'],
    ['a$', 'a$'],
    ['$HOST', '$HOST'],
    ['^[a-z]+$', '^[a-z]+$'],
    ['', ''],
  ])('%s is no reference', (source, text) => {
    expect(substitute(source, env)).toEqual({ ok: true, text, fromEnvironment: false });
  });
});

describe('what cannot be replaced is said', () => {
  test.each([
    ['${env:NONE}', 'NONE is not set; set it, or give a default: ${env:NONE:-…}'],
    ['${NONE:?the port of the gateway}', 'NONE is not set: the port of the gateway'],
    ['${NONE:?}', 'NONE is not set: it is required'],
    ['${EMPTY:?it is needed}', 'EMPTY is empty: it is needed'],
    ['${env:}', 'is not of the form'],
    ['${}', 'is not of the form'],
    ['${1A}', 'is not of the form'],
    ['${file:/etc/passwd}', 'is not of the form'],
    ['${HOST:=x}', 'is not of the form'],
    ['${HOST:+x}', 'is not of the form'],
    ['${constructor}', 'constructor is not set'],
    ['${__proto__}', '__proto__ is not set'],
    ['${HOST', 'a "${" without its "}"'],
  ])('%s', (source, message) => {
    const result = substitute(source, env);
    expect(result.ok ? result.text : result.message).toContain(message);
    expect(result.ok).toBe(false);
  });
});

test('a text without dollar signs stays what it is, and doubling them is undone', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 30 }), (text) => {
      const result = substitute(text.replaceAll('$', '$$$$'), {});
      expect(result).toEqual({ ok: true, text, fromEnvironment: false });
    }),
  );
});

test.each([
  ['8080', 8080], ['-1', -1], ['0.5', 0.5], ['1e3', 1000], ['true', true], ['False', false], ['TRUE', true],
  ['', ''], ['08x', '08x'], ['0x10', '0x10'], ['1.', '1.'], ['yes', 'yes'], ['null', 'null'], [' 1', ' 1'], ['1_000', '1_000'], ['Infinity', 'Infinity'],
])('%j is typed as %j', (text, value) => {
  expect(retyped(text)).toBe(value);
}); // prettier-ignore
