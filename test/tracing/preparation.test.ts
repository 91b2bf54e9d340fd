import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { missingPackages } from '../../gateway/tracing/packages.ts';
import { readHeaders } from '../../gateway/tracing/preparation.ts';

describe('fields for the collector', () => {
  it.each([
    ['authorization=Bearer%20abc', { authorization: 'Bearer abc' }],
    ['a=1,b=2', { a: '1', b: '2' }],
    ['a=1\nb = x=y\n', { a: '1', b: 'x=y' }],
    ['X-Team=a', { 'x-team': 'a' }],
  ])('%j are read', (text, headers) => {
    expect(readHeaders(text)).toEqual(headers);
  });

  it.each(['', ',', 'a', '=1', 'a=', 'a b=1', 'a=1%0d%0ab:2', 'a=%zz', 'a=\u00e4'])(
    '%j is refused',
    (text) => {
      expect(readHeaders(text)).toBeNull();
    },
  );

  it('whatever is read holds no line break', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        for (const [name, value] of Object.entries(readHeaders(text) ?? {}))
          expect(`${name}${value}`).not.toMatch(/[\r\n]/);
      }),
    );
  });
});

describe('packages', () => {
  it('are all there where the tests run', () => {
    expect(missingPackages()).toBeNull();
  });

  it('that are missing are named, and all are to be installed in the versions that are tested', () => {
    const resolve = (name: string): string => {
      if (name.endsWith('resources')) throw new Error('Cannot find module');
      return name;
    };
    expect(missingPackages(resolve)).toBe(
      'sending spans needs packages that are not installed beside Sallyport (@opentelemetry/resources): npm install ' +
        '@opentelemetry/exporter-trace-otlp-http@0.223.0 @opentelemetry/resources@2.12.0 @opentelemetry/sdk-trace-base@2.12.0',
    );
  });
});
