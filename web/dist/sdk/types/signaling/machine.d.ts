/**
 * A call on one device, without I/O and without a clock: the client half of the call state machine.
 *
 * Feed it commands, messages, path events and time (ms of any one clock); then drain {@link ClientCall.pollOutput}.
 * Numbers of devices: 0 is the caller's, from 1 on they are the callee's in the order of their verification.
 */
import type { MakeCall, ServerMessage, SessionDescription, Welcome } from './messages.js';
import type { CallState, Output, PathEvent, Role, Timers } from './types.js';
export type { CallState, Event, Output, PathEvent, Role, Timers } from './types.js';
/** A command does not fit the state of the call, or only the other role can do it. */
export declare class CommandError extends Error {
    /** The state of the call, when that is what does not fit. */
    readonly state?: CallState | undefined;
    /** The role of this device, when that is what does not fit. */
    readonly role?: Role | undefined;
    constructor(
    /** The state of the call, when that is what does not fit. */
    state?: CallState | undefined, 
    /** The role of this device, when that is what does not fit. */
    role?: Role | undefined);
}
/** A call on one device. Outputs are bounded: each input adds at most two for every device of the callee, and four more. */
export declare class ClientCall {
    #private;
    /** Which end this is. */
    readonly role: Role;
    /** Deadlines and policy in force. */
    readonly timers: Timers;
    constructor(role: Role, timers?: Partial<Timers>);
    /** The documented state. */
    get state(): CallState;
    /** The device that accepted. It may be known before the call is connected. */
    get accepted(): number | undefined;
    /** The call's id, once the server gave it. */
    get sid(): string | undefined;
    /**
     * True when the server has to be told of the end: it let this device in, or this is a callee that declined before, whose call
     * would go on ringing there.
     */
    get isKnownToServer(): boolean;
    /** Caller: asks the server for a call. The connection may come up later. Throws unless this is a fresh caller. */
    makeCall(make: MakeCall, now: number): void;
    /** Callee: asks the server about the call of a push. Throws unless this is a fresh callee. */
    verifyCall(ccParam: string, now: number): void;
    /** Callee: accepts. Throws unless the application was told `verified` and nothing was accepted yet. */
    accept(callStartMessage: string | null, now: number): void;
    /**
     * Ends the call, for both sides. `null` is the ordinary reason: CANCEL, DECLINE or NORMAL. Throws when the call was not
     * started or is already over.
     */
    end(reason: number | null, userCode: string | null, _now: number): void;
    /** Tells the peer about the own microphone: off (`true`) or on. Throws when the call does not run. */
    mute(muted: boolean): void;
    /**
     * Tells the peer that the call is on hold here, with a reason of at most 256 bytes of UTF-8 (a longer one is cut at a
     * character border), or that it goes on. Throws unless the call is connected.
     */
    hold(held: boolean, reason: string | null): void;
    /**
     * Tells the other side how this device is reached. Caller: `party` is the device that is meant, none the one that
     * answers the first description. Dropped when the call does not run.
     */
    describe(party: number | null, description: SessionDescription): void;
    /**
     * Tells the other side of more candidates. Caller: `party` is the device that is meant, none every device. Dropped when
     * the call does not run.
     */
    addCandidates(party: number | null, generation: number, candidates: string[], end: boolean): void;
    /** Caller: opens the commitment to the device that accepted. Dropped when no device did. */
    reveal(nonce: string): void;
    /** A message of the server. What does not fit the state of the call is ignored. */
    handleMessage(message: ServerMessage, now: number): void;
    /** A connection stands and the server let this device in. */
    handleSignalUp(welcome: Welcome): void;
    /** The connection is gone, or could not be made: then `reason` is the code that says why. */
    handleSignalDown(reason: number | null, now: number): void;
    /** Something happened on the path with a device. A callee names itself. What does not fit is ignored. */
    handlePath(party: number, event: PathEvent, now: number): void;
    /** Lets every deadline pass that is due. */
    handleTimeout(now: number): void;
    /** When {@link handleTimeout} is to be called. */
    pollTimeout(): number | undefined;
    /** The next thing to do. */
    pollOutput(): Output | undefined;
}
