/** What the promises of a call are rejected with. */
import { type StartFailReason } from './signaling/reasons.js';
/** A call could not be started (documented as `MakeCallError` and `VerifyCallError`), or could not do what it was asked to. */
export declare class CallError extends Error {
    readonly name = "CallError";
    /** Why. */
    readonly reason: StartFailReason;
    /**
     * @param reason one of `START_FAIL_REASON`
     * @param message what is wrong and what helps, for a developer
     * @param cause what the browser said, if it was the browser
     */
    constructor(reason: StartFailReason, message: string, cause?: unknown);
}
/**
 * Says what a failed `getUserMedia` means to a user.
 *
 * @param error what it was rejected with: an Error by the specification
 */
export declare function microphoneError(error: unknown): CallError;
