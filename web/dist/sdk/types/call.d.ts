/** The call of the documented API. */
import type { Statistics } from './media/statistics.js';
import type { CallOptions, MakeCallParams, VerifyCallParams } from './params.js';
import type { CallState } from './signaling/types.js';
/** The documented states of a call. */
export declare const CALL_STATE: {
    /** Not started. */
    readonly IDLE: 'idle';
    /** Started. */
    readonly TRYING: 'trying';
    /** Caller: the callee is being alerted. */
    readonly WAIT_ANSWER: 'wait_answer';
    /** Callee: confirmed, and can be accepted. */
    readonly VERIFIED: 'verified';
    /** Accepted, and the media path is up. */
    readonly CONNECTED: 'connected';
    /** Over. */
    readonly DISCONNECTED: 'disconnected';
};
/**
 * One call: made with {@link makeCall} or answered with {@link verifyCall} and {@link acceptCall}.
 *
 * An object serves for one call. While it lasts, another start is rejected with ALREADY_EXIST; after it, with REUSE. A start
 * that was rejected may be tried again.
 */
export declare class Call {
    #private;
    /** @param options settings; none is needed on a page of the call server's own origin */
    constructor(options?: CallOptions);
    /** Where the call is: one of `CALL_STATE`. */
    get state(): CallState;
    /** The call's id, once the server gave it. */
    get sid(): string | undefined;
    /** Ms since the call connected, or that it was connected; -1 when it never was. */
    getCallDuration(): number;
    /**
     * Calls somebody. Resolves when the parameters are good and the microphone is open; whatever the server, the network or the
     * callee say comes as an event, never before that.
     *
     * @throws CallError with one of `START_FAIL_REASON`
     */
    makeCall(params: MakeCallParams): Promise<void>;
    /**
     * Asks the server about the call of a push. Resolves when the parameters are good and the microphone is open; `evtVerified`
     * follows when the call is real.
     *
     * @throws CallError with one of `START_FAIL_REASON`
     */
    verifyCall(params: VerifyCallParams): Promise<void>;
    /**
     * Answers, after `evtVerified`.
     *
     * @param options a text for the caller of at most 199 bytes of UTF-8; or the documented switch for cloud recording, which
     * this server does not offer
     * @throws CallError
     */
    acceptCall(options?: boolean | {
        callStartMessage?: string | undefined;
    }): Promise<void>;
    /**
     * Ends the call: NORMAL when it was accepted; before that CANCEL by the caller, DECLINE by the callee. While the microphone
     * is still being opened it withdraws the start.
     *
     * @param userReleasePhrase for the other side's application and the app server, at most 127 bytes of UTF-8
     * @throws CallError
     */
    endCall(userReleasePhrase?: string): Promise<void>;
    /**
     * Ends the call with USER_ERROR: a fault that the application defines by the phrase, at most 127 bytes of UTF-8.
     *
     * @throws CallError
     */
    endCallWithError(userReleasePhrase: string): Promise<void>;
    /**
     * Switches the own microphone off or on. The peer is told.
     *
     * @throws CallError when there is no call
     */
    muteMyAudio(isMute: boolean): Promise<void>;
    /**
     * Puts the call on hold: neither side is heard, and the peer hears a tone.
     *
     * @param reason for the peer; of a longer one the first 256 bytes of UTF-8 are sent
     * @throws CallError unless the call is connected
     */
    hold(reason?: string): Promise<void>;
    /**
     * Takes the call up again.
     *
     * @throws CallError unless the call is connected
     */
    unhold(): Promise<void>;
    /** Silences the peer here, without telling it. */
    silencePeerAudio(silent: boolean): void;
    /**
     * What is measured: a subset of W3C webrtc-stats. After the call, the last that was taken.
     *
     * @throws CallError when no call was started
     */
    getCurrentStats(): Promise<Statistics>;
    /**
     * Takes another microphone, also during the call.
     *
     * @param deviceId as `devices()` lists it
     * @throws CallError; the present microphone stays
     */
    setAudioInput(deviceId: string): Promise<void>;
    /**
     * Plays the peer on another device.
     *
     * @param deviceId as `devices()` lists it; `''` is the system's choice
     * @throws CallError; NOT_SUPPORTED where the browser leaves the choice to the system
     */
    setAudioOutput(deviceId: string): Promise<void>;
}
