/** A call that runs: the state machine, the session with the server, the media paths and the application, put together. */
import type { AnyParams } from './checks.js';
import type { Microphone } from './media/microphone.js';
import { Monitor } from './media/monitor.js';
import type { Playback } from './media/playback.js';
import type { Sound } from './media/sound.js';
import type { CallOptions } from './params.js';
import { ClientCall } from './signaling/machine.js';
import { type Tell } from './tell.js';
/** What a call is started with. */
export interface Setup {
    /** Settings. */
    options: CallOptions;
    /** What the call is about. */
    params: AnyParams;
    /** The certificate of every path. */
    certificate: RTCCertificate;
    /** Opened, and closed with the call. */
    microphone: Microphone;
    /** Closed with the call. */
    playback: Playback;
    /** Belongs to the playback. */
    sound: Sound;
    /** Tells the application. */
    tell: Tell;
    /** The call is over and everything is closed but the session. */
    whenEnded(): void;
}
/** A call between its start and its end. */
export declare class Running {
    #private;
    /** Says what happens to the call. To be told only by {@link do}. */
    readonly machine: ClientCall;
    /** What is measured. */
    readonly monitor: Monitor;
    constructor(setup: Setup);
    /** Ms since the call connected, or that it was connected; -1 when it never was. */
    get duration(): number;
    /** Caller: describes this end, before the call begins. */
    prepare(): Promise<void>;
    /** It never begins. */
    discard(): void;
    /** Begins. What comes of it is told to the application. */
    begin(): void;
    /** To be called within {@link do}. @throws CommandError when the call is over */
    mute(muted: boolean): void;
    /** To be called within {@link do}. @throws CommandError unless the call is connected */
    hold(held: boolean, reason: string | null): void;
    /** The microphone's track is another one. */
    trackChanged(): void;
    /** Lets something happen to the machine, and does what it says. */
    do(input: (now: number) => void): void;
}
