/**
 * The ids that callers are given. A flow id of the table is made into one that only its owner can use: 16 bytes, masked
 * with the owner's digest and encrypted under a key of this process. With another owner it decrypts to an id that the
 * table never gave out. So a flow needs no list of owners, every thread knows an id, and those who join a flow from
 * elsewhere get an id of their own for it.
 */
import { createCipheriv, createDecipheriv, createHmac } from 'node:crypto';

const ticketForm = /^[0-9a-f]{32}$/;
const zeros = Buffer.alloc(16);

export class Tickets {
  readonly #flowKey: Buffer;
  readonly #stateKey: Buffer;
  readonly #ownerKey: Buffer;

  /** `secret` is shared by all threads of the process, and by nobody else. */
  constructor(secret: Uint8Array) {
    const derive = (label: string): Buffer => createHmac('sha256', secret).update(label).digest();
    this.#flowKey = derive('oauth flow id').subarray(0, 16);
    this.#stateKey = derive('oauth state').subarray(0, 16);
    this.#ownerKey = derive('oauth owner');
  }

  /** The id of a flow for this owner: 32 hexadecimal digits, the same for the same owner. */
  flowId(tableId: string, owner: Uint8Array): string {
    return this.#seal(this.#flowKey, tableId, owner);
  }

  /** The table's id behind an id; null when it has no such form. Of another owner's id it makes one nobody has. */
  flowOf(flowId: string, owner: Uint8Array): string | null {
    return this.#open(this.#flowKey, flowId, owner);
  }

  /**
   * The `state` of an authorization request: names the flow, and is bound to the browser that is sent off with it.
   * Source: RFC 6749 section 10.12, RFC 9700 section 4.7.
   */
  state(tableId: string, owner: Uint8Array): string {
    return this.#seal(this.#stateKey, tableId, owner);
  }

  flowOfState(state: string, owner: Uint8Array): string | null {
    return this.#open(this.#stateKey, state, owner);
  }

  #seal(key: Buffer, tableId: string, owner: Uint8Array): string {
    const block = masked(Buffer.from(tableId, 'hex'), this.#mask(owner));
    const cipher = createCipheriv('aes-128-ecb', key, null).setAutoPadding(false);
    return cipher.update(block, undefined, 'hex') + cipher.final('hex');
  }

  #open(key: Buffer, ticket: string, owner: Uint8Array): string | null {
    if (!ticketForm.test(ticket)) return null;
    const decipher = createDecipheriv('aes-128-ecb', key, null).setAutoPadding(false);
    const block = Buffer.concat([decipher.update(ticket, 'hex'), decipher.final()]);
    return masked(block, this.#mask(owner)).toString('hex');
  }

  #mask(owner: Uint8Array): Buffer {
    return createHmac('sha256', this.#ownerKey).update(owner).digest();
  }
}

function masked(block: Buffer, mask: Buffer): Buffer {
  const out = Buffer.from(zeros);
  for (let index = 0; index < out.length; index++) out[index] = block[index]! ^ mask[index]!;
  return out;
}
