/** What the application gives to a call, and what a call tells the application. */
import type { DisconnectSource, KitDisconnectReason } from './signaling/reasons.js';
/** Settings of a `Call`. */
export interface CallOptions {
    /**
     * The call server: `https://host`, or `wss://host/ws` in full. Default: the page's own origin. The SDK connects to no other
     * host. An address that is none ends the call with SERVICE_HTTP_INVALID_URL.
     */
    serverUrl?: string | undefined;
    /** Stable name of this device, for the server's records. */
    deviceKey?: string | undefined;
    /**
     * Whether the media path may be built before the call is accepted; default `true`. With `false` no address is told to the
     * peer before the accept, and the first words wait for the path. The service may switch it off, not on.
     */
    preConnect?: boolean | undefined;
    /** Whether a tone is heard while the peer holds the call; default `true`. */
    holdTone?: boolean | undefined;
    /** `'relay'`: the peer learns no address of this device, and all media goes over the relays of the server. Default `'all'`. */
    iceTransportPolicy?: RTCIceTransportPolicy | undefined;
    /** Seconds that a call outlives the interruption of its media path; default 30. */
    networkPatienceSec?: number | undefined;
}
/** Where the peer is heard. */
export interface MediaHtmlElement {
    /** The peer's media. */
    peer: {
        /** Plays the peer; `autoplay` is good to have. */
        audio: HTMLAudioElement;
    };
}
/** What `makeCall` and `verifyCall` have in common. */
export interface CommonParams {
    /** The own user id: 1 to 64 of a-z A-Z 0-9 - _. */
    myId: string;
    /** The own service id. */
    myServiceId: string;
    /** `'audio'`. */
    mediaType: 'audio';
    /** Where the peer is heard. */
    mediaHtmlElement: MediaHtmlElement;
    /**
     * The microphone: a device's id, or a stream of the application, whose first audio track is sent and which stays the
     * application's. Default: the browser's choice.
     */
    audioInput?: {
        deviceId: string;
    } | MediaStream | undefined;
    /** Ms between two `evtQuality`; default 1000, at least 200; 0: never. */
    statsInterval?: number | undefined;
    /** Ms between two audio descriptions; default 500, at least 200; 0: never. */
    audioDescriptionInterval?: number | undefined;
}
/** Parameters of `makeCall`. */
export interface MakeCallParams extends CommonParams {
    /** The callee's user id. */
    peerId: string;
    /** The callee's service id. */
    peerServiceId: string;
    /** JWT made by the app server. */
    accessToken: string;
    /** Text for the app server, at most 4095 bytes of UTF-8. */
    appServerData?: string | undefined;
    /** Text for the callee, at most 199 bytes of UTF-8. */
    callStartMessage?: string | undefined;
    /** Handlers of what happens to the call. */
    delegate?: MakeCallDelegate | undefined;
}
/** Parameters of `verifyCall`. */
export interface VerifyCallParams extends CommonParams {
    /** `cc_param` of the push. */
    ccParam: string;
    /** JWT made by the app server, when the service asks for one. */
    accessToken?: string | undefined;
    /** Handlers of what happens to the call. */
    delegate?: VerifyCallDelegate | undefined;
}
/**
 * Handlers that both sides have. They run one after the other in the order of events, never before the promise that started
 * the call has settled. An error in one is reported to the page (`reportError`) and harms nothing else.
 */
export interface CallDelegate {
    /** The callee accepted and the media path is up: both may speak. */
    evtConnected?(param: CallConnectedParams): void;
    /** The call is over. It comes exactly once, and nothing follows it. */
    evtDisconnected?(param: DisconnectedParams): void;
    /** The peer switched its microphone off. */
    evtPeerMicMuted?(): void;
    /** The peer switched its microphone on again. */
    evtPeerMicUnmuted?(): void;
    /** The peer put the call on hold: it neither hears nor is heard. */
    evtPeerHold?(param: PeerHoldParams): void;
    /** The peer took the call up again. */
    evtPeerUnhold?(): void;
    /** The media path is interrupted. The call goes on when it is back in time. */
    evtNetworkUnavailable?(param: NetworkUnavailableParams): void;
    /** The media path is back. */
    evtNetworkReavailable?(param: NetworkReavailableParams): void;
    /**
     * Both users can now see that nobody sits between their devices, by a code that `verificationCode` of `duologue-code` makes of this.
     * Comes once, when the call is connected, unless the peer is of an older version. A call that was tampered with ends with AUTH_ERROR.
     * It comes again, with `undefined`, in the rare case that the server decides for another device after all: then there is no code.
     */
    evtVerifiable?(param: VerificationInput | undefined): void;
    /** How the call sounds, each `statsInterval`. */
    evtQuality?(param: QualityParams): void;
    /** Level of the own audio, 0 (-60 dB of full scale or less) to 100, each `audioDescriptionInterval`. */
    evtMyAudioDescription?(level: number): void;
    /** Level of the peer's audio, 0 to 100. */
    evtPeerAudioDescription?(level: number): void;
    /** The browser plays no sound before the user has touched the page: show a button that calls `resume`. */
    evtPlaybackBlocked?(param: PlaybackBlockedParams): void;
    /** Something happened to the microphone. */
    evtAudioDevice?(param: AudioDeviceParams): void;
}
/** Handlers of the caller. */
export interface MakeCallDelegate extends CallDelegate {
    /** The server accepted the call and the callee is being alerted. */
    evtWaitConnected?(): void;
}
/** Handlers of the callee. */
export interface VerifyCallDelegate extends CallDelegate {
    /** The server confirmed the call: it may be accepted, or declined by ending it. */
    evtVerified?(param: CallVerifiedParams): void;
}
/** What `evtVerified` carries. */
export interface CallVerifiedParams {
    /** The call's id, a UUID in its 36-character text form. */
    sid: string;
    /** Who calls. */
    callerId: string;
    /** The caller's service. */
    callerServiceId: string;
    /** The caller's text, when there is one. */
    callStartMessage?: string | undefined;
    /** True when the media path is already up, so that an accept is heard at once. */
    preConnected: boolean;
}
/** What `evtConnected` carries. */
export interface CallConnectedParams {
    /** Caller only: the text that the callee gave to its accept. */
    callStartMessage?: string | undefined;
}
/** What `evtDisconnected` carries. */
export interface DisconnectedParams {
    /** Who ended the call. */
    source: DisconnectSource;
    /** Why. */
    reason: {
        /** One of `KIT_DISCONNECT_REASON`. */
        code: KitDisconnectReason;
        /** Its name, e.g. `'NORMAL'`. */
        strCode: string;
    };
    /** True when this side did not end it itself. */
    byRemote: boolean;
    /** The release phrase of the side that ended the call, when it gave one. */
    userCode?: string | undefined;
}
/** What `evtPeerHold` carries. */
export interface PeerHoldParams {
    /** The peer's reason, at most 256 bytes of UTF-8. */
    reason?: string | undefined;
}
/** What `evtNetworkUnavailable` carries. */
export interface NetworkUnavailableParams {
    /** The peer's network is taken for the cause, as the server is in reach of this device. An interrupted path itself does not say where. */
    isPeer: boolean;
    /** Seconds after which the call ends with UNAVAILABLE_NETWORK. */
    willDisconnectSec: number;
}
/** What `evtNetworkReavailable` carries. */
export interface NetworkReavailableParams {
    /** As in the event before it. */
    isPeer: boolean;
}
/** What `evtVerifiable` carries: what the verification code is made of, in hexadecimal. `verificationCode` of `duologue-code` makes it. */
export interface VerificationInput {
    /** SHA-256 fingerprints of both certificates, the caller's first. */
    fingerprints: string;
    /** What both sides drew by chance, the caller's first. */
    nonces: string;
}
/** What `evtQuality` carries. A value that is not known yet is `null`. */
export interface QualityParams {
    /**
     * One of `QUALITY_LEVEL`, 0 (bad) to 4 (excellent). It falls as soon as the score is below a level, and rises only after it
     * has been clearly above the next one for three intervals.
     */
    level: number;
    /**
     * Estimated mean opinion score, 1 to 4.4, by the E-model (ITU-T G.107): delay, and the larger share of what had to be invented
     * here and of what was lost on the way to the peer.
     */
    mos: number;
    /** Round trip in seconds. */
    roundTripTime: number | null;
    /** Share of packets lost since the event before, 0 to 1, in the worse direction. */
    lossRate: number;
    /** Interarrival jitter in seconds, in the worse direction. */
    jitter: number;
    /** Mean delay of the jitter buffer since the event before, in seconds. */
    jitterBufferDelay: number | null;
}
/** What `evtPlaybackBlocked` carries. */
export interface PlaybackBlockedParams {
    /** Plays; to be called while a click or a key is handled. Rejects when the browser still refuses. */
    resume(): Promise<void>;
}
/** What `evtAudioDevice` carries. */
export interface AudioDeviceParams {
    /** `lost`: nobody hears this side any more. `changed`: another microphone took over by itself. */
    kind: 'lost' | 'changed';
    /** Name of the microphone in use, when it is known. */
    label?: string | undefined;
    /** What the user can do about it. */
    advice: string;
}
