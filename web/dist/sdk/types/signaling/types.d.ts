/** What goes into and comes out of a call's state machine. */
import type { ClientMessage, SessionDescription, Verified } from './messages.js';
import type { DisconnectSource } from './reasons.js';
/** Which end of a call a device is: it makes the call, or it verifies one that it was told of. */
export type Role = 'caller' | 'callee';
/** The documented states of a call. */
export type CallState = 'idle' | 'trying' | 'wait_answer' | 'verified' | 'connected' | 'disconnected';
/** How long a device waits for what, in ms. */
export interface Timers {
    /** From the start to the server's first word about the call. Default 15 s. */
    setup: number;
    /** `evtVerified` waits no longer than this for the media path. Default 1 s. */
    verified: number;
    /** From the accept to a media path; then NETWORK_UNSTABLE. Default 15 s. */
    connect: number;
    /** How long a call that is not accepted outlives the loss of the server. Default 30 s. */
    signalLost: number;
    /** After the peer closed the media path without a word: how long the server is given to say why. Default 2 s. */
    closed: number;
    /** The media path may be built before the accept. Default true. */
    preConnect: boolean;
}
/** What happens on the media path with one device. */
export type PathEvent = 
/** Encrypted both ways, and the certificate is the signalled one. */
{
    type: 'up';
}
/** It cannot be built or is lost for good, or the certificate is not the signalled one. */
 | {
    type: 'failed';
    failure: 'unreachable' | 'authentication';
}
/** The first audio packet that the proven peer sent. */
 | {
    type: 'first_audio';
}
/** The peer said goodbye on the path: a documented reason's code, and its release phrase. */
 | {
    type: 'bye';
    reason: number | null;
    user_code: string | null;
}
/** An authenticated close without a goodbye. */
 | {
    type: 'closed';
};
/** What the application is told. */
export type Event = 
/** Caller: the callee is being alerted. */
{
    type: 'wait_connected';
}
/** Callee: the call is real and may be accepted; whether the media path is already up. */
 | {
    type: 'verified';
    pre_connected: boolean;
}
/** Accepted, and the media path is up. Caller: with the callee's text. */
 | {
    type: 'connected';
    call_start_message: string | null;
}
/** The peer switched its microphone off (`true`) or on. */
 | {
    type: 'peer_muted';
    muted: boolean;
}
/** The peer put the call on hold, or gives another reason for it. */
 | {
    type: 'peer_held';
    reason: string | null;
}
/** The peer took the call up again. */
 | {
    type: 'peer_unheld';
}
/** The call is over. Nothing follows. `reason` is a documented code, `user_code` the other side's release phrase. */
 | {
    type: 'disconnected';
    reason: number;
    source: DisconnectSource;
    by_remote: boolean;
    user_code: string | null;
};
/** What a device has to do. */
export type Output = 
/** Give the message to the link. */
{
    type: 'send';
    message: ClientMessage;
}
/** Tell the application. */
 | {
    type: 'event';
    event: Event;
}
/** Caller: the server made the call. */
 | {
    type: 'created';
    sid: string;
}
/** Callee: the server confirmed the call. Unless pre-connecting is off, start the media path with what it brings. */
 | {
    type: 'confirmed';
    verified: Verified;
}
/** Caller: make an end of the path for this device and say so with `ClientCall.describe`. */
 | {
    type: 'describe';
    party: number;
}
/** How the other side is reached. */
 | {
    type: 'remote_description';
    party: number;
    description: SessionDescription;
}
/** Candidates of the other side, for this start of the path. */
 | {
    type: 'remote_candidates';
    party: number;
    generation: number;
    candidates: string[];
    end: boolean;
}
/** The device accepted: audio may be sent and played on the path with it, as soon as it is up, and on no other. */
 | {
    type: 'start_audio';
    party: number;
}
/** The path with this device is of no use any more. Close it without a goodbye. */
 | {
    type: 'close_path';
    party: number;
}
/** Callee: the caller's nonce for the verification code. */
 | {
    type: 'reveal';
    nonce: string;
}
/** Say goodbye on every path that is up. */
 | {
    type: 'send_bye';
    reason: number;
    user_code: string | null;
}
/** Close every path and stop the audio. */
 | {
    type: 'close_media';
};
