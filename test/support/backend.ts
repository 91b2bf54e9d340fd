/**
 * An upstream that believes nothing: it keeps the bytes of every request, notes whatever is not grammatical, and answers
 * with whatever bytes a test hands it. On plain `net`, so that it can misbehave at every stage.
 */
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { framingOf, MalformedError, takeBody, takeHead, valuesOf, type Fields, type Head } from './wire.ts';

export interface SeenRequest {
  readonly method: string;
  readonly target: string;
  readonly fields: Fields;
  readonly body: Buffer;
  /** All of it, as it came. */
  readonly raw: Buffer;
  /** Which connection it came on, counted from 0 in order of their coming. */
  readonly connection: number;
  /** Values of a field; name in lower case. */
  values(name: string): string[];
}

export interface Behaviour {
  /** A whole request came. */
  onRequest?: (request: SeenRequest, socket: Socket) => void;
  /** The head of a request came; true when that answers it, and the body is no longer looked at. */
  onHead?: (head: Head, socket: Socket) => boolean;
  onConnection?: (socket: Socket) => void;
}

export const answer = (body: string, fields = ''): string =>
  `HTTP/1.1 200 OK\r\nContent-Length: ${Buffer.byteLength(body, 'latin1')}\r\n${fields}\r\n${body}`;

export class Backend {
  readonly requests: SeenRequest[] = [];
  /** What was wrong with what came. A test expects this to be empty. */
  readonly faults: string[] = [];
  /** Bytes of requests whose connection ended before they were complete. */
  readonly incomplete: Buffer[] = [];
  readonly sockets = new Set<Socket>();
  behaviour: Behaviour;
  accepted = 0;

  readonly #server: Server;
  readonly #waiting: (() => void)[] = [];

  private constructor(behaviour: Behaviour) {
    this.behaviour = behaviour;
    this.#server = createServer((socket) => this.#accept(socket));
  }

  /** Listens on a loopback port. Without a behaviour it answers `ok` to everything. */
  static async start(behaviour: Behaviour = {}, port = 0): Promise<Backend> {
    const backend = new Backend(behaviour);
    await new Promise<void>((resolve, reject) => {
      backend.#server.once('error', reject).listen(port, '127.0.0.1', resolve);
    });
    return backend;
  }

  /** A backend that answers each whole request with these bytes (one char, one byte). */
  static replying(bytes: string | ((request: SeenRequest) => string)): Promise<Backend> {
    return Backend.start({
      onRequest: (request, socket) =>
        socket.write(typeof bytes === 'string' ? bytes : bytes(request), 'latin1'),
    });
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Settles once `holds` does; looked at whenever a connection or a request came or went. */
  async until(holds: () => boolean): Promise<void> {
    while (!holds()) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #changed(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  #accept(socket: Socket): void {
    const connection = this.accepted;
    this.accepted += 1;
    this.sockets.add(socket);
    let bytes: Buffer = Buffer.alloc(0);
    let head: Head | null = null;
    let blind = false;

    const take = (): void => {
      while (!blind && bytes.length > 0) {
        head ??= this.#head(bytes, socket);
        if (head === null) return;
        if (head.bytes === 0) {
          blind = true;
          return;
        }
        const body = takeBody(bytes.subarray(head.bytes), framingOf(head.fields));
        if (body === null) return;
        if (body.trailers.length > 0) this.faults.push('trailers');
        const { fields } = head;
        const [method = '', target = ''] = head.startLine.split(' ');
        const raw = bytes.subarray(0, head.bytes + body.bytes);
        bytes = bytes.subarray(raw.length);
        head = null;
        const request: SeenRequest = {
          method, target, fields, body: body.content, raw, connection,
          values: (name) => valuesOf(fields, name),
        }; // prettier-ignore
        this.requests.push(request);
        if (bytes.length > 0) this.faults.push('bytes behind a request that was not answered');
        if (this.behaviour.onRequest === undefined) socket.write(answer('ok'));
        else this.behaviour.onRequest(request, socket);
        this.#changed();
      }
    };

    socket.setNoDelay(true);
    socket.on('error', () => {}); // Resets are what these tests are about.
    socket.on('data', (chunk: Buffer) => {
      bytes = bytes.length === 0 ? chunk : Buffer.concat([bytes, chunk]);
      try {
        take();
      } catch (error) {
        if (!(error instanceof MalformedError)) throw error;
        this.faults.push(error.message);
        blind = true;
        socket.end('HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
      }
      this.#changed();
    });
    socket.on('close', () => {
      if (!blind && bytes.length > 0) this.incomplete.push(bytes);
      this.sockets.delete(socket);
      this.#changed();
    });
    this.behaviour.onConnection?.(socket);
    this.#changed();
  }

  /** A head with 0 bytes says that the request was answered without its body. */
  #head(bytes: Buffer, socket: Socket): Head | null {
    const head = takeHead(bytes);
    if (head === null) return null;
    if (!/^[A-Z]+ \/[\x21-\x7e]* HTTP\/1\.1$/.test(head.startLine)) {
      throw new MalformedError(`not a request line: ${JSON.stringify(head.startLine)}`);
    }
    if (valuesOf(head.fields, 'host').length !== 1) throw new MalformedError('not one Host');
    framingOf(head.fields);
    return this.behaviour.onHead?.(head, socket) === true ? { ...head, bytes: 0 } : head;
  }
}
