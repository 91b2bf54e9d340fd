import { describe, expect, test } from 'vitest';
import { base, good, problemsIn } from './example.ts';

describe('YAML', () => {
  test.each<[string, string, RegExp]>([
    ['a repeated key', 'version: 1\nversion: 1\n', /^gw\.yaml:2:1: this key is there twice$/],
    [
      'a second document',
      `version: 1${base}---\nversion: 1\n`,
      /^gw\.yaml:5:1: a configuration is one YAML document/,
    ],
    ['another version of YAML', '%YAML 1.1\n---\nversion: 1\n', /only YAML 1\.2 is understood/],
    ['an open brace', 'version: 1\nlistener: { port: 1\n', /^gw\.yaml:\d+:\d+: /],
    [
      'an alias of nothing',
      'version: 1\nlistener: *nope\n',
      /^gw\.yaml:2:11: listener: nothing is named by the anchor &nope$/,
    ],
    ['an unknown tag', 'a: !!js/function x\nversion: 1\n', /^gw\.yaml:1:4: Unresolved tag/],
    ['a list as a key', '? [a]\n: 1\n', /a key is a plain text/],
    [
      '5,000 levels',
      `${'['.repeat(5000)}${']'.repeat(5000)}`,
      /^gw\.yaml:1:\d+: the file is nested too deeply$/,
    ],
    ['200 levels', `${'['.repeat(200)}${']'.repeat(200)}`, /nested too deeply/],
    ['20,000 brackets left open', '['.repeat(20_000), /the file is nested too deeply$/],
  ])('%s is refused', (_, text, line) => {
    expect(problemsIn(text)).toContainEqual(expect.stringMatching(line));
  });

  test('a repeated key does not hide what else is wrong', () => {
    expect(problemsIn(`version: 1${base}log: {}\nlog: { level: x }\n`)).toEqual([
      'gw.yaml:6:1: this key is there twice',
      expect.stringMatching(/^gw\.yaml:6:15: log\.level: must be one of/),
    ]);
  });

  test('a lost parser is reported once', () => {
    expect(problemsIn('['.repeat(20_000)).length).toBeLessThan(5);
    expect(
      problemsIn('a: { b: c{d} }\ne: f\n').filter((line) => line.includes('Unexpected')).length,
    ).toBeLessThan(4);
  });

  test('aliases stand for what they name, and a bomb of them is refused', () => {
    const text = `version: 1${base.replace('routes: [', 'routes: [&r { prefix: /a, upstream: app }, { prefix: /b, upstream: app, closed: true, routes: [*r] }, ')}`;
    expect(good(text).policy.routes.map(({ pattern }) => pattern)).toEqual(['/a/*', '/b/a/*', '/*']);
    const bomb = ['version: 1', 'a: &a [x, x, x, x, x, x, x, x, x, x]'];
    for (const [from, to] of ['ab', 'bc', 'cd', 'de', 'ef', 'fg', 'gh', 'hi']) {
      bomb.push(`${to}: &${to} [${Array.from({ length: 10 }, () => `*${from}`).join(', ')}]`);
    }
    expect(problemsIn(bomb.join('\n'))).toContainEqual(expect.stringContaining('too large or too deep'));
    expect(problemsIn('version: 1\na: &a { b: *a }\n')).toContainEqual(
      expect.stringContaining('too large or too deep'),
    );
  });

  test('a problem behind an alias is shown at what it names', () => {
    expect(problemsIn(`version: 1${base}log: &l { level: x }\nmetrics: *l\n`)).toContainEqual(
      expect.stringMatching(/^gw\.yaml:5:11: metrics\.level: unknown key/),
    );
  });

  test('booleans are those of YAML 1.2, and `<<` is a key like any other', () => {
    expect(problemsIn(`version: 1${base}oauth: { store: yes }`)).toContainEqual(
      expect.stringContaining('oauth.store: must be a mapping'),
    );
    expect(problemsIn(`version: 1${base}log: { <<: { level: info } }`)).toEqual([
      expect.stringContaining('log["<<"]: unknown key "<<"'),
    ]);
  });

  test('keys named like properties of objects are keys like any other', () => {
    for (const key of ['__proto__', 'constructor', 'toString']) {
      expect(problemsIn(`version: 1${base}${key}: {}`)).toEqual([
        expect.stringContaining(`unknown key "${key}"`),
      ]);
    }
  });
});
