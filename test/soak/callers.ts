/** The kinds of callers of the soak. Each asks once, knows what it must get, and says what it got. */
import { createHash, randomBytes } from 'node:crypto';
import { type Agent, type ClientRequest, type IncomingMessage, request } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import type { SoakIssuer } from './tokens.ts';
import { forbiddenMark, largeBytes } from './upstream.ts';

export interface Turn {
  readonly url: string;
  readonly issuer: SoakIssuer;
  /** Of this caller alone, one connection. */
  readonly agent: Agent;
  /** Unique in this run. */
  readonly n: number;
  /** Tokens that are used over and over. */
  readonly familiar: readonly string[];
}

export interface Outcome {
  readonly expected: string;
  /** As `expected`, or a status with a code, or an error code of the connection; `wrong body` where the bytes differ. */
  readonly actual: string;
}

export type Caller = (turn: Turn) => Promise<Outcome>;

const wrongBody = '200 with a wrong body';
const hash = (body: Buffer): string => createHash('sha256').update(body).digest('hex');

interface Asked {
  readonly sent: ClientRequest;
  /** Rejects when the connection fails before the head of an answer. */
  readonly answered: Promise<IncomingMessage>;
}

function open(turn: Turn, path: string, token: string, method = 'GET', mark = false): Asked {
  const headers = { authorization: `Bearer ${token}`, ...(mark ? { [forbiddenMark]: '1' } : {}) };
  const sent = request(`${turn.url}/soak/${path}`, { method, headers, agent: turn.agent });
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    sent.on('response', resolve);
    sent.on('error', reject);
    sent.on('close', () => reject(new Error('closed')));
  });
  // Some callers fail before they look at the answer, and those that leave never do.
  answered.catch(() => {});
  return { sent, answered };
}

async function read(response: IncomingMessage, pauseMs = 0): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) {
    chunks.push(chunk as Buffer);
    if (pauseMs > 0 && chunks.length % 8 === 0) await delay(pauseMs);
  }
  return Buffer.concat(chunks);
}

/** Ends the request and says what came: the gateway's refusal by its code, success only with the right body. */
async function finish(
  { sent, answered }: Asked,
  isRight: (body: Buffer) => boolean,
  pauseMs = 0,
): Promise<string> {
  sent.end();
  const response = await answered;
  const body = await read(response, pauseMs);
  if (response.headers['content-type'] === 'application/problem+json') {
    return `${response.statusCode} ${(JSON.parse(body.toString()) as { code: string }).code}`;
  }
  if (response.statusCode !== 200) return String(response.statusCode);
  return isRight(body) ? '200' : wrongBody;
}

const echoes = (n: number) => (body: Buffer) => body.includes(`"n":"${n}"`);

function pick<T>(items: readonly T[], n: number): T {
  return items[n % items.length]!;
}

/** A known token, a small answer. */
const repeated: Caller = async (turn) => {
  const asked = open(turn, `echo?n=${turn.n}`, pick(turn.familiar, turn.n));
  return { expected: '200', actual: await finish(asked, echoes(turn.n)) };
};

/** A token never seen before. */
const fresh: Caller = async (turn) => {
  const asked = open(turn, `echo?n=${turn.n}`, await turn.issuer.good());
  return { expected: '200', actual: await finish(asked, echoes(turn.n)) };
};

/** A token with something wrong. */
const bad: Caller = async (turn) => {
  const [expected, make] = pick(Object.entries(turn.issuer.bad), turn.n);
  const asked = open(turn, `echo?n=${turn.n}`, await make(), 'GET', true);
  return { expected, actual: await finish(asked, () => false) };
};

/** 64 KiB up; the upstream must get these bytes and no others. */
const upload: Caller = async (turn) => {
  const body = randomBytes(65_536);
  const asked = open(turn, `echo?n=${turn.n}`, pick(turn.familiar, turn.n), 'POST');
  asked.sent.write(body);
  return { expected: '200', actual: await finish(asked, (answer) => answer.includes(hash(body))) };
};

/** A body in drops, to an upstream that thinks long, or a large answer read with pauses. */
const slow: Caller = async (turn) => {
  const token = pick(turn.familiar, turn.n);
  if (turn.n % 2 === 0) {
    const asked = open(turn, 'large', token);
    return { expected: '200', actual: await finish(asked, (body) => body.length === largeBytes, 10) };
  }
  const asked = open(turn, `slow?n=${turn.n}`, token, 'POST');
  for (let drop = 0; drop < 5; drop += 1) {
    asked.sent.write('drop');
    await delay(100);
  }
  const whole = Buffer.from('drop'.repeat(5));
  return { expected: '200', actual: await finish(asked, (answer) => answer.includes(hash(whole))) };
};

/** Leaves: in the middle of its own body, of a large answer, or while the upstream thinks. */
const aborted: Caller = async (turn) => {
  const token = pick(turn.familiar, turn.n);
  const stage = turn.n % 3;
  const { sent, answered } = open(
    turn,
    ['echo', 'large', 'slow'][stage]!,
    token,
    stage === 0 ? 'POST' : 'GET',
  );
  const over = new Promise((resolve) => sent.once('close', resolve));
  if (stage === 0) sent.write(randomBytes(10_000));
  else sent.end();
  if (stage === 1) await answered.catch(() => {});
  else await delay(20);
  sent.destroy();
  await over;
  return { expected: 'left', actual: 'left' };
};

/** By kind: what they do, how many there are, and how long each rests between two requests. */
export const callers = {
  repeated: { ask: repeated, count: 12, restMs: 10 },
  fresh: { ask: fresh, count: 4, restMs: 10 },
  bad: { ask: bad, count: 8, restMs: 10 },
  upload: { ask: upload, count: 3, restMs: 30 },
  slow: { ask: slow, count: 6, restMs: 10 },
  aborted: { ask: aborted, count: 6, restMs: 20 },
} as const satisfies Record<string, { ask: Caller; count: number; restMs: number }>;
