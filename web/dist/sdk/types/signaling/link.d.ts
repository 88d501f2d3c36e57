/**
 * Reliable order over connections that break: numbers, acknowledgements, replay.
 *
 * A message keeps its number until the server acknowledges it; when a new connection takes up the session, everything
 * unacknowledged is sent again and what had already arrived is dropped.
 */
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
export declare class Link {
    #private;
    /** What was counted. */
    readonly stats: LinkStats;
    /**
     * A connection stands and the server has the same numbering: everything after `peerAck` is sent again. False when
     * `peerAck` cannot be: then the session has to start over with {@link restart}.
     */
    resume(peerAck: number): boolean;
    /** A connection stands and both ends number from 1. What is unacknowledged gets new numbers and is sent (again). */
    restart(): void;
    /** The connection is gone. Messages are kept for the next one. */
    close(): void;
    /** True between {@link resume} or {@link restart} and {@link close}. */
    get isOpen(): boolean;
    /** Takes a numbered message; {@link pollTransmit} gives it out while a connection stands. False when the queue is full. */
    send(message: ClientMessage): boolean;
    /** Takes an envelope of the server; gives its message back unless it has already been given. */
    handle(envelope: ServerEnvelope): ServerMessage | undefined;
    /** The next envelope for the connection; after the last message an acknowledgement, when one is due. */
    pollTransmit(): ClientEnvelope | undefined;
    /** Puts the acknowledgement on a message that is not numbered. */
    wrap(message: ClientMessage): ClientEnvelope;
    /** The number up to which everything of the server has arrived. */
    get received(): number;
    /** True when the server has everything. */
    get isDrained(): boolean;
}
