/** A server that answers with given bytes and closes, and what both clients make of them. */
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { AnswerReceiver, OpenConnection, RequestFailure } from '../../../gateway/upstream/connection.ts';
import { PlainConnection } from '../../../gateway/upstream/plain-connection.ts';
import { UndiciConnection } from '../../../gateway/upstream/undici-connection.ts';

export interface Heard {
  end: 'ended' | RequestFailure;
  interims: number;
  status: number;
  /** Of the answer for the caller: what frames it is left out. */
  headers: string;
  length: number | null;
  content: string;
}

const limits = { connectTimeoutMs: 5000, keepAliveMs: 1000, maxResponseHeaderBytes: 16_384 };

export class BothClients {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #answers = new Map<string, Buffer>();
  #count = 0;

  private constructor() {
    this.#server = createServer((socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
      socket.on('error', () => {}); // Both clients cut connections; that is what is looked at.
      socket.once('data', (head: Buffer) => {
        const target = head.toString('latin1').split(' ', 2)[1]!;
        socket.end(this.#answers.get(target) ?? '');
      });
    });
  }

  static async start(): Promise<BothClients> {
    const both = new BothClients();
    await new Promise<void>((resolve) => both.#server.listen(0, '127.0.0.1', resolve));
    return both;
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async hear(method: string, bytes: Buffer): Promise<{ plain: Heard; undici: Heard }> {
    const [plain, undici] = await Promise.all([
      this.#hearBy((...parts) => new PlainConnection(...parts), method, bytes),
      this.#hearBy((...parts) => new UndiciConnection(...parts), method, bytes),
    ]);
    return { plain, undici };
  }

  async #hearBy(open: OpenConnection, method: string, bytes: Buffer): Promise<Heard> {
    const target = `/${this.#count}`;
    this.#count += 1;
    this.#answers.set(target, bytes);
    const { port } = this.#server.address() as AddressInfo;
    const connection = open(new URL(`http://127.0.0.1:${port}`), limits, () => {});
    const heard: Heard = { end: 'defect', interims: 0, status: 0, headers: '', length: null, content: '' };
    await new Promise<void>((resolve) => {
      let over = false;
      const end = (how: Heard['end']): void => {
        if (!over) heard.end = how;
        over = true;
        resolve();
      };
      const receiver: AnswerReceiver = {
        begun: () => true,
        interim: () => (heard.interims += 1) <= 16,
        head: (status, head) => {
          [heard.status, heard.headers, heard.length] = [status, sorted(head.headers), head.length];
          // A call waits for no more; undici takes a length that such an answer may announce for a broken promise.
          if (head.framing === 'none') end('ended');
        },
        data: (piece) => void (heard.content += piece.toString('latin1')),
        ended: () => end('ended'),
        failed: end,
      };
      connection.send({ method, target, headers: [], body: null, ownedField: 'x-request-id' }, receiver);
    });
    await connection.destroy();
    this.#answers.delete(target);
    return heard;
  }
}

/** undici hands fields of one name out together; their order among themselves is kept by both. */
function sorted(headers: readonly string[]): string {
  const lines: string[] = [];
  for (let i = 0; i < headers.length; i += 2) lines.push(`${headers[i]}: ${headers[i + 1]}`);
  return lines.sort((a, b) => (a.split(':', 1)[0]! < b.split(':', 1)[0]! ? -1 : 1)).join('\n');
}
