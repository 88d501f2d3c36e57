/** Looks at a call while it is connected: quality, levels, statistics. */
import type { CommonParams } from '../params.js';
import type { Tell } from '../tell.js';
import { type Statistics } from './statistics.js';
/** What a {@link Monitor} looks at. */
export interface Observed {
    /** Intervals. */
    params: CommonParams;
    /** The connection that carries the call, when there is one. */
    connection(): RTCPeerConnection | undefined;
    /** Level of the own audio right now, 0 to 1. */
    heard(): number;
    /** The peer is not heard, as one of both sides holds the call. */
    isSilent(): boolean;
    /** Tells the application. */
    tell: Tell;
}
/** Takes statistics, and tells the application what is to be told regularly. */
export declare class Monitor {
    #private;
    /** @param observed call */
    constructor(observed: Observed);
    /** A snapshot; after the call the last one that was taken. */
    snapshot(): Promise<Statistics>;
    /** The call is connected. */
    start(): void;
    /** The call is over. */
    stop(): void;
}
