/** Gives bytes to a parser, in pieces, as a connection does; what came of it as plain data. */
import { readAnswer } from '../../../gateway/upstream/answer.ts';
import { AnswerParser, type AnswerReader } from '../../../gateway/upstream/http1/answer-parser.ts';

export interface Outcome {
  /** `open`: more is waited for. `cut`: the peer was done and the answer was not. */
  end: 'complete' | 'invalid' | 'open' | 'cut';
  interims: number;
  status: number;
  /** Fields of the final head as they came, framing included. */
  fields: string[];
  content: string;
  /** Something came behind the answer. */
  behind: boolean;
}

export interface Play {
  readonly method?: string;
  readonly headBytesMax?: number;
  /** The peer closes behind the last piece. */
  readonly closes?: boolean;
}

export function play(pieces: readonly Buffer[], options: Play = {}): Outcome {
  const { method = 'GET', headBytesMax = 16_384, closes = false } = options;
  const outcome: Outcome = { end: 'open', interims: 0, status: 0, fields: [], content: '', behind: false };
  const reader: AnswerReader = {
    onInterim: () => (outcome.interims += 1) <= 16,
    onHead: (status, minor, fields) => {
      [outcome.status, outcome.fields] = [status, fields];
      return readAnswer(method, status, minor, fields, 'x-request-id');
    },
    onContent: (piece) => void (outcome.content += piece.toString('latin1')),
  };
  const parser = new AnswerParser(reader, headBytesMax);
  parser.begin();
  // One buffer for all pieces, used for something else after each: a connection has no other.
  const shared = Buffer.alloc(
    pieces.reduce((most, { length }) => Math.max(most, length), 1),
    'Z',
  );
  for (const piece of pieces) {
    if (piece.length === 0) continue;
    piece.copy(shared);
    if (outcome.end === 'complete') {
      outcome.behind = true;
      break;
    }
    const progress = parser.push(shared, piece.length);
    shared.fill('Z', 0, piece.length);
    if (progress === 'incomplete') continue;
    outcome.end = progress;
    if (progress === 'invalid') break;
    outcome.behind = parser.broken;
  }
  if (outcome.end === 'open' && closes) outcome.end = parser.finish() ? 'complete' : 'cut';
  return outcome;
}

/** All of it at once. */
export const playWhole = (bytes: Buffer, options?: Play): Outcome => play([bytes], options);

/** The bytes cut at these places. */
export function cutAt(bytes: Buffer, places: readonly number[]): Buffer[] {
  const sorted = [0, ...[...places].sort((a, b) => a - b), bytes.length];
  return sorted.slice(1).map((to, i) => bytes.subarray(sorted[i], to));
}

/** Every piece one byte. */
export const bytewise = (bytes: Buffer): Buffer[] => [...bytes].map((octet) => Buffer.of(octet));
