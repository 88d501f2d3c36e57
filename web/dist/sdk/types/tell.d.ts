/** How the parts of a call reach the application's handlers. */
import type { MakeCallDelegate, VerifyCallDelegate } from './params.js';
import type { Verified } from './signaling/messages.js';
import type { Event } from './signaling/types.js';
/** Every handler that a call may have. */
export type Delegate = MakeCallDelegate & VerifyCallDelegate;
/** Calls a handler of the application, if it has it; never at once, and in the order of the calls. */
export type Tell = <N extends keyof Delegate>(name: N, ...param: Parameters<NonNullable<Delegate[N]>>) => void;
/**
 * Tells the application what the state machine says.
 *
 * @param verified what the server confirmed to a callee
 */
export declare function announce(event: Event, tell: Tell, verified: Verified | undefined): void;
