import { describe, expect, it } from 'vitest';
import { refusals } from '../../gateway/core/errors.ts';
import { renewalOf, renewalText } from '../../gateway/listener/renewal.ts';

const read = (text: string): string | null => renewalOf(Buffer.from(text), 'renew');

describe('a renewal', () => {
  it.each(['{"renew":"a.b.c"}', '{"renew": "a.b.c"}', '{"renew":\n"a.b.c"\n}\n'])('is %j', (text) => {
    expect(read(text)).toBe('a.b.c');
  });

  it.each([
    '', '{', '{"', '{"renew', '{"renew"', '{"renew":', '{"renew":"a"', '{"renew":1}', '{"renew":null}', '{"renew":"a","b":1}',
    '{"renewed":"a"}', '{"b":1,"renew":"a"}', ' {"renew":"a"}', '["renew"]', 'null', '"renew"', '{"__proto__":"a"}',
  ])('is not %j', (text) => {
    expect(read(text)).toBeNull();
  }); // prettier-ignore

  it('is read in place: what stands before and behind the message does not count', () => {
    const whole = Buffer.from('xx{"renew":"a"}yy');
    expect(renewalOf(whole.subarray(2, -2), 'renew')).toBe('a');
    expect(renewalOf(whole.subarray(2, 4), 'renew')).toBeNull();
  });

  it('is answered with its end, or with why it cannot be judged now', () => {
    expect(renewalText('renew', { expSeconds: 12 })).toBe('{"renew":{"expires_at":12}}');
    expect(renewalText('renew', refusals.verifier_full)).toBe('{"renew":{"error":"verifier_full"}}');
  });
});
