/**
 * Keyed names: the digest under which a key is bound, and the public id of a flow. The only file of this folder that
 * touches cryptography. The secret is handed to each thread of a table and never lies in the shared memory.
 */
import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto';
import type { Digest } from './binding.ts';
import { GENERATION_MASK } from './control-word.ts';

/** Who is logged in where: both already canonical, so that equal means the same. */
export interface FlightKey {
  readonly provider: string;
  readonly account: string;
}

const SECRET_BYTES = 32;

/** A fresh secret for a table. */
export function createSecret(): Uint8Array {
  return randomBytes(SECRET_BYTES);
}

/** A flow as its id names it. */
export interface FlowName {
  readonly slot: number;
  readonly generation: number;
}

/** Marks a block that we encrypted: "flow id" and a version. */
const MARK = Buffer.from('flow id\u0001', 'latin1');
const ID = /^[0-9a-f]{32}$/;

export class Digester {
  readonly #digestKey: Uint8Array;
  readonly #idKey: Uint8Array;

  constructor(secret: Uint8Array) {
    if (secret.byteLength !== SECRET_BYTES)
      throw new RangeError(`flight secret: ${SECRET_BYTES} bytes expected, not ${secret.byteLength}`);
    this.#digestKey = createHmac('sha256', secret).update('key digest').digest();
    this.#idKey = createHmac('sha256', secret).update('flow id').digest().subarray(0, 16);
  }

  /** The 128-bit digest of a key. Keyed, so that nobody can craft collisions; length-prefixed, so that parts do not run together. */
  digest(key: FlightKey): Digest {
    const length = Buffer.alloc(4);
    const hmac = createHmac('sha256', this.#digestKey);
    for (const part of [key.provider, key.account]) {
      length.writeUInt32BE(Buffer.byteLength(part));
      hmac.update(length).update(part, 'utf8');
    }
    const bytes = hmac.digest();
    // 0 means "not bound", so neither half may be 0.
    return { high: bytes.readBigInt64BE(0) || 1n, low: bytes.readBigInt64BE(8) || 1n };
  }

  /**
   * The public id of a generation: one block of AES-128 over the slot and the generation, in hexadecimal. A permutation,
   * so one id is one generation; keyed, so ids cannot be guessed; invertible, so any thread finds the flow without an
   * index.
   */
  flowId(flow: FlowName): string {
    const block = Buffer.alloc(16);
    MARK.copy(block);
    block.writeUInt32BE(flow.slot, 8);
    block.writeUInt32BE(flow.generation, 12);
    const cipher = createCipheriv('aes-128-ecb', this.#idKey, null).setAutoPadding(false);
    return cipher.update(block, undefined, 'hex') + cipher.final('hex');
  }

  /** The flow that an id names; null when this table never gave out such an id. */
  parseFlowId(id: string, slots: number): FlowName | null {
    if (!ID.test(id)) return null;
    const decipher = createDecipheriv('aes-128-ecb', this.#idKey, null).setAutoPadding(false);
    const block = Buffer.concat([decipher.update(id, 'hex'), decipher.final()]);
    const slot = block.readUInt32BE(8);
    const generation = block.readUInt32BE(12);
    if (!block.subarray(0, 8).equals(MARK) || slot >= slots || generation > GENERATION_MASK) return null;
    return { slot, generation };
  }
}
