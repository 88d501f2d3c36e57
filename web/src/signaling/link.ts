/**
 * Reliable order over connections that break: numbers, acknowledgements, replay.
 *
 * A message keeps its number until the server acknowledges it; when a new connection takes up the session, everything
 * unacknowledged is sent again and what had already arrived is dropped.
 */

import { UNACKNOWLEDGED, UNACKNOWLEDGED_BYTES, VERSION, byteLength } from './limits.js';
import type { ClientEnvelope, ClientMessage, ServerEnvelope, ServerMessage } from './messages.js';

/** What a link counted, for tests: the build leaves statements with the label `COUNT` out. */
export interface LinkStats {
  /** Numbered messages that had already arrived. */
  duplicates: number;
  /** Numbered messages that came before an earlier one, which an ordered connection does not do; dropped. */
  gaps: number;
  /** Acknowledgements of what was never sent; ignored. */
  bad_acks: number;
  /** Numbered messages that were sent again. */
  replayed: number;
}

/** The client's end of a session. */
export class Link {
  /** What was counted. */
  readonly stats: LinkStats = { duplicates: 0, gaps: 0, bad_acks: 0, replayed: 0 };
  /** Sent or to be sent, and not acknowledged; the numbers are consecutive and end before `#next`. */
  #queue: { bytes: number; message: ClientMessage }[] = [];
  #bytes = 0;
  /** How many of the queue went out on the present connection. */
  #transmitted = 0;
  #next = 1;
  #received = 0;
  #ackDue = false;
  #open = false;

  /**
   * A connection stands and the server has the same numbering: everything after `peerAck` is sent again. False when
   * `peerAck` cannot be: then the session has to start over with {@link restart}.
   */
  resume(peerAck: number): boolean {
    if (peerAck < this.#first() - 1 || peerAck >= this.#next) return false;
    this.#drop(peerAck);
    this.#begin();
    return true;
  }

  /** A connection stands and both ends number from 1. What is unacknowledged gets new numbers and is sent (again). */
  restart(): void {
    this.#begin();
    this.#received = 0;
    this.#next = 1 + this.#queue.length;
  }

  /** The connection is gone. Messages are kept for the next one. */
  close(): void {
    this.#open = false;
  }

  /** True between {@link resume} or {@link restart} and {@link close}. */
  get isOpen(): boolean {
    return this.#open;
  }

  /** Takes a numbered message; {@link pollTransmit} gives it out while a connection stands. False when the queue is full. */
  send(message: ClientMessage): boolean {
    const bytes = byteLength(JSON.stringify(message));
    if (this.#queue.length >= UNACKNOWLEDGED || this.#bytes + bytes > UNACKNOWLEDGED_BYTES) return false;
    this.#queue.push({ bytes, message });
    this.#bytes += bytes;
    this.#next++;
    return true;
  }

  /** Takes an envelope of the server; gives its message back unless it has already been given. */
  handle(envelope: ServerEnvelope): ServerMessage | undefined {
    const { v: _, seq, ack, ...message } = envelope;
    if (ack < this.#next) this.#drop(ack);
    else COUNT: this.stats.bad_acks++;
    if (seq) {
      this.#ackDue = true;
      if (seq <= this.#received) {
        COUNT: this.stats.duplicates++;
        return undefined;
      }
      if (seq > this.#received + 1) {
        COUNT: this.stats.gaps++;
        return undefined;
      }
      this.#received = seq;
    }
    return message;
  }

  /** The next envelope for the connection; after the last message an acknowledgement, when one is due. */
  pollTransmit(): ClientEnvelope | undefined {
    if (!this.#open) return undefined;
    const entry = this.#queue[this.#transmitted];
    if (!entry && !this.#ackDue) return undefined;
    this.#ackDue = false;
    if (!entry) return this.wrap({ type: 'ack' });
    const seq = this.#first() + this.#transmitted++;
    return { v: VERSION, seq, ack: this.#received, ...entry.message };
  }

  /** Puts the acknowledgement on a message that is not numbered. */
  wrap(message: ClientMessage): ClientEnvelope {
    return { v: VERSION, seq: 0, ack: this.#received, ...message };
  }

  /** The number up to which everything of the server has arrived. */
  get received(): number {
    return this.#received;
  }

  /** True when the server has everything. */
  get isDrained(): boolean {
    return !this.#queue.length;
  }

  #first(): number {
    return this.#next - this.#queue.length;
  }

  #begin(): void {
    COUNT: this.stats.replayed += this.#transmitted;
    this.#transmitted = 0;
    this.#ackDue = false;
    this.#open = true;
  }

  #drop(ack: number): void {
    while (this.#queue.length && this.#first() <= ack) {
      this.#bytes -= this.#queue.shift()!.bytes;
      this.#transmitted = Math.max(0, this.#transmitted - 1);
    }
  }
}
