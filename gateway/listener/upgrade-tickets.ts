/**
 * One-time tickets for opening a WebSocket, for pages that cannot set the Authorization field and shall not show their token.
 *
 * A ticket is the token itself, encrypted together with the route that it is good for and its end, so that no list of tickets
 * exists; on use, the token is verified and decided like any other. That it is used once is kept by `TicketRing`.
 */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import type { Clock } from '../core/clock.ts';
import { type Refusal, refusals } from '../core/errors.ts';
import type { Exchange } from '../core/exchange.ts';
import type { TicketMount } from '../route/policy.ts';
import { readBearer } from '../token/bearer.ts';
import { ticketPrefix } from './handshake.ts';
import { TicketRing } from './ticket-ring.ts';

/** What the threads of a process share. */
export interface TicketsHandle {
  readonly secret: Uint8Array;
  readonly ring: SharedArrayBuffer;
}

const ivBytes = 12;
const tagBytes = 16;
const cipher = 'aes-256-gcm';

/** Called once for a process, by main. */
export function createTickets(): TicketsHandle {
  return { secret: randomBytes(32), ring: TicketRing.create() };
}

export class UpgradeTickets {
  readonly #secret: Uint8Array;
  readonly #ring: TicketRing;
  readonly #clock: Clock;

  constructor({ secret, ring }: TicketsHandle, clock: Clock) {
    this.#secret = secret;
    this.#ring = new TicketRing(ring);
    this.#clock = clock;
  }

  /** Answers a request that was permitted with a ticket for its token. */
  give({ routeId, seconds }: TicketMount, exchange: Exchange): void {
    const at = exchange.headers.indexOf('authorization');
    const token = readBearer(exchange.headers[at + 1] ?? null, 1) as string;
    const ticket = this.#seal([this.#ring.next(), this.#clock.nowMs() + seconds * 1000, routeId, token]);
    const body = Buffer.from(
      `${JSON.stringify({ ticket, subprotocol: ticketPrefix + ticket, expires_in: seconds })}\n`,
    );
    exchange.head(200, ['content-type', 'application/json', 'cache-control', 'no-store'], body.length);
    exchange.write(body);
    exchange.end();
  }

  /** The token that a ticket stands for; the second to ask gets a refusal. */
  redeem(ticket: string, routeId: string): string | Refusal {
    const opened = this.#open(ticket);
    if (opened === null) return refusals.ticket_invalid;
    const [id, endMs, givenFor, token] = opened;
    if (givenFor !== routeId || this.#clock.nowMs() >= endMs) return refusals.ticket_invalid;
    return this.#ring.take(id) ? token : refusals.ticket_invalid;
  }

  #seal(content: readonly [id: number, endMs: number, routeId: string, token: string]): string {
    const iv = randomBytes(ivBytes);
    const sealing = createCipheriv(cipher, this.#secret, iv);
    const sealed = Buffer.concat([iv, sealing.update(JSON.stringify(content)), sealing.final()]);
    return Buffer.concat([sealed, sealing.getAuthTag()]).toString('base64url');
  }

  #open(ticket: string): [id: number, endMs: number, routeId: string, token: string] | null {
    const bytes = Buffer.from(ticket, 'base64url');
    if (bytes.length < ivBytes + tagBytes) return null;
    const opening = createDecipheriv(cipher, this.#secret, bytes.subarray(0, ivBytes), {
      authTagLength: tagBytes,
    });
    opening.setAuthTag(bytes.subarray(-tagBytes));
    try {
      const text = Buffer.concat([opening.update(bytes.subarray(ivBytes, -tagBytes)), opening.final()]);
      return JSON.parse(text.toString()) as [number, number, string, string];
    } catch {
      return null;
    }
  }
}
