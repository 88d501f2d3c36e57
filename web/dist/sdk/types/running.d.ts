/** A call that runs: the state machine, the session with the server, the media paths and the application, put together. */
import type { Microphone } from './media/microphone.js';
import { Monitor } from './media/monitor.js';
import type { Playback } from './media/playback.js';
import type { Sound } from './media/sound.js';
import type { CommonParams } from './params.js';
import { ClientCall } from './signaling/machine.js';
import type { Hello, MakeCall } from './signaling/messages.js';
import { type KitDisconnectReason } from './signaling/reasons.js';
import { type Tell } from './tell.js';
/** What a call is started with. */
export interface Setup {
    /** What a caller asks for; a callee has its `cc_param` in the greeting. */
    make: Omit<MakeCall, 'description'> | false;
    /** The signalling's address; `undefined` when there is none. */
    url: string | undefined;
    /** Who this is. */
    hello: Hello;
    /** Whether the path may be built before the accept. */
    preConnect: boolean;
    /** The certificate of every path. */
    certificate: RTCCertificate;
    /** Opened, and closed with the call. */
    microphone: Microphone;
    /** Closed with the call. */
    playback: Playback;
    /** Belongs to the playback. */
    sound: Sound;
    /** Whether a tone is heard while the peer holds the call. */
    holdTone: boolean;
    /** Intervals. */
    params: CommonParams;
    /** Tells the application. */
    tell: Tell;
    /** The call is over and everything is closed but the session. */
    whenEnded(): void;
}
/** A call between its start and its end. */
export declare class Running {
    #private;
    /** What is measured. */
    readonly monitor: Monitor;
    constructor(setup: Setup);
    /** The documented state. */
    get state(): ClientCall['state'];
    /** The call's id, once the server gave it. */
    get sid(): string | undefined;
    /** Ms since the call connected, or that it was connected; -1 when it never was. */
    get duration(): number;
    /** Caller: describes this end, before the call begins. */
    prepare(): Promise<void>;
    /** It never begins. */
    discard(): void;
    /** Begins. What comes of it is told to the application. */
    begin(): void;
    /** @throws CommandError unless the callee was told `evtVerified` and has not accepted */
    accept(callStartMessage: string | null): void;
    /** @throws CommandError when the call is over */
    end(reason: KitDisconnectReason | null, phrase: string | null): void;
    /** @throws CommandError when the call is over */
    mute(muted: boolean): void;
    /** @throws CommandError unless the call is connected */
    hold(held: boolean, reason: string | null): void;
    /** The microphone's track is another one. */
    trackChanged(): void;
}
