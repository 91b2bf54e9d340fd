import { describe, expect, test } from 'vitest';
import { policyOf, two, up } from './policies.ts';

const byText = (a: string | undefined, b: string | undefined): number => String(a).localeCompare(String(b));

describe('the vocabulary', () => {
  test('scopes that no route names get no bit, unless they grant one that is named', () => {
    const { scopes, implied } = policyOf([{ path: '/a', scopes: { all: ['r'], any: ['w'] }, ...up }], {
      scopes: { implies: { admin: ['editor'], editor: ['w', 'unnamed'], unnamed: ['other'], w: ['r'] } },
    }).vocabulary;
    expect(scopes).toEqual(['r', 'w', 'admin', 'editor']);
    expect(
      Object.fromEntries(
        scopes.map((scope, i) => [scope, implied[i]!.map((bit) => scopes[bit]).toSorted(byText)]),
      ),
    ).toEqual({
      r: ['r'],
      w: ['r', 'w'],
      editor: ['editor', 'r', 'w'],
      admin: ['admin', 'editor', 'r', 'w'],
    });
  });

  test('cycles of implication are fine', () => {
    const { scopes, implied } = policyOf([{ path: '/a', scopes: { all: ['x'] }, ...up }], {
      scopes: { implies: { x: ['y'], y: ['z'], z: ['x'] } },
    }).vocabulary;
    expect(scopes).toEqual(['x', 'y', 'z']);
    expect(implied.map((bits) => bits.toSorted((a, b) => a - b))).toEqual([
      [0, 1, 2],
      [0, 1, 2],
      [0, 1, 2],
    ]);
  });

  test('Z2: scopes named like properties of objects are scopes like any other', () => {
    const names = ['__proto__', 'constructor', 'toString', 'hasOwnProperty'];
    const { vocabulary } = policyOf([{ path: '/a', scopes: { all: names }, ...up }]);
    expect(vocabulary.scopes).toEqual(names);
    expect(vocabulary.implied).toEqual([[0], [1], [2], [3]]);
  });

  test('issuers are in the order of the configuration', () => {
    expect(policyOf([{ path: '/a', issuer: 'b', ...up }], two).vocabulary.issuers).toEqual(['a', 'b']);
  });
});
