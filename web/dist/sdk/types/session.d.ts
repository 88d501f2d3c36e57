/** The session with the server across connections: greeting, numbering, heartbeat, reconnection. */
import { type ClientMessage, type Hello, type ServerMessage, type Welcome } from './signaling/messages.js';
/** What a session tells the call. */
export interface SessionHandlers {
    /** The server let us in, for the first time or again. */
    welcome(welcome: Welcome): void;
    /** Something about the call. */
    message(message: ServerMessage): void;
    /** No connection. A reason when one could not be made, `null` when one that was up broke. */
    down(reason: number | null): void;
}
/**
 * Where the signalling is.
 *
 * @param serverUrl `https://host`, `wss://host/ws`; default the page's own origin. The path is `/ws` when none is named.
 * @param base what a relative address is relative to
 * @returns the address for a WebSocket, or `undefined` when it cannot be one
 */
export declare function signalingUrl(serverUrl: string | undefined, base: string | undefined): string | undefined;
/**
 * One session, over as many WebSockets as it takes.
 *
 * What is said while no connection stands goes out on the next one. It ends after {@link finish}, when the server has
 * acknowledged everything or can no longer be reached.
 */
export declare class Session {
    #private;
    /**
     * @param url of the WebSocket; `undefined` makes the session fail as soon as it starts
     * @param hello who we are; later connections use the resume token beside it
     * @param handlers what is to be called, never from within a method of this class except {@link start} and {@link check}
     */
    constructor(url: string | undefined, hello: Hello, handlers: SessionHandlers);
    /** True while a connection stands on which the server let us in. */
    get isOpen(): boolean;
    /** Connects, once. */
    start(): void;
    /**
     * Says something, now or on the next connection.
     *
     * @returns false when too much is unacknowledged: the server is beyond reach, the message is dropped
     */
    send(message: ClientMessage): boolean;
    /**
     * The connection may be dead without anybody having said so: the page slept, the network changed, or it is visible again.
     * A connection that is up is asked and given up when it does not answer; one that is waited for is made at once.
     */
    check(): void;
    /**
     * The call is over and the connection is closed: at once, or once everything is told, for at most a minute.
     *
     * @param tell whether the server has to hear of it; one that knows nothing of the call must not
     */
    finish(tell: boolean): void;
    /** Ends the session at once. */
    close(): void;
}
