/** What every kind of mount has. */
import type { Refusal } from '../../core/errors.ts';
import type { BrokerApi } from '../broker.ts';
import type { Answer } from './answer.ts';
import type { Call } from './call.ts';

/** What mounts are made of. */
export interface MountParts {
  readonly broker: BrokerApi;
  readonly nowMs: () => number;
  /** The gateway is about to end: nobody is to be kept waiting. */
  readonly isEnding: () => boolean;
}

export interface MountEndpoints {
  /** What is answered; null when it was sent already, piece by piece. */
  answer(call: Call): Promise<Answer | null>;
  /** How a refusal looks here. */
  refusal(call: Call, refusal: Refusal): Answer;
}
