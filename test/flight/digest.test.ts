import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createSecret, Digester } from '../../gateway/flight/digest.ts';

const secret = new Uint8Array(32).fill(7);
const digester = new Digester(secret);

describe('key digest', () => {
  it('is stable for a secret and different under another', () => {
    const key = { provider: 'example', account: 'alice' };
    expect(digester.digest(key)).toEqual(new Digester(secret).digest(key));
    expect(digester.digest(key)).not.toEqual(new Digester(createSecret()).digest(key));
  });

  it('does not let the parts of a key run together', () => {
    const a = digester.digest({ provider: 'a', account: 'bc' });
    expect(a).not.toEqual(digester.digest({ provider: 'ab', account: 'c' }));
    expect(a).not.toEqual(digester.digest({ provider: '', account: 'abc' }));
  });

  it('never has a half that reads as "not bound", and fits a signed word', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (provider, account) => {
        const { high, low } = digester.digest({ provider, account });
        expect(high !== 0n && low !== 0n).toBe(true);
        expect([BigInt.asIntN(64, high), BigInt.asIntN(64, low)]).toEqual([high, low]);
      }),
    );
  });

  it('refuses a secret of another length', () => {
    expect(() => new Digester(new Uint8Array(16))).toThrow(RangeError);
  });
});

describe('flow id', () => {
  it('names one generation of one slot, and leads back to it', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 4095 }),
        fc.integer({ min: 0, max: 0x1ffffff }),
        (slot, generation) => {
          const id = digester.flowId({ slot, generation });
          expect(id).toMatch(/^[0-9a-f]{32}$/);
          expect(digester.parseFlowId(id, 4096)).toEqual({ slot, generation });
        },
      ),
    );
  });

  it.each(['', 'x', '0'.repeat(32), 'f'.repeat(31), 'F'.repeat(32), `${'0'.repeat(31)}g`])(
    'refuses %j',
    (id) => {
      expect(digester.parseFlowId(id, 4096)).toBeNull();
    },
  );

  it('refuses ids of another table, changed ids, and slots that do not exist', () => {
    const id = digester.flowId({ slot: 9, generation: 3 });
    expect(new Digester(createSecret()).parseFlowId(id, 4096)).toBeNull();
    expect(digester.parseFlowId(id, 8)).toBeNull();
    const changed = (id.startsWith('0') ? '1' : '0') + id.slice(1);
    expect(digester.parseFlowId(changed, 4096)).toBeNull();
  });
});
