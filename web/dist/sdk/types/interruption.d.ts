/** What is done while the media path is interrupted, or when the network is another one. */
import type { Tell } from './tell.js';
/** What is needed of the call. */
export interface Interrupted {
    /** One end begins to look for another way at once. */
    isCaller: boolean;
    /** In seconds. */
    patience: number | undefined;
    /** Tells the application. */
    tell: Tell;
    /** The server can be told of a restart. */
    isOpen(): boolean;
    /** Finds other ways to the peer. */
    restart(): void;
    /** The patience is over. */
    lost(): void;
}
/** Watches network and path. */
export interface Interruption {
    /** The path of the call is interrupted, or carries again. */
    change(interrupted: boolean): void;
    /** The server is in reach, for the first time or again. */
    signalUp(): void;
    /** The call is over. */
    stop(): void;
}
/** Watches the network and what is told of the path, until it is stopped. */
export declare function watchNetwork({ isCaller, patience, tell, isOpen, restart, lost }: Interrupted): Interruption;
