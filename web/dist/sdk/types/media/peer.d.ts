/** The media path to one device of the peer: one RTCPeerConnection. */
import type { PathEvent } from '../signaling/types.js';
import type { SessionDescription } from '../signaling/messages.js';
import { LocalCandidates } from './candidates.js';
/** What a path tells. Nothing is told after {@link PeerPath.close}. */
export interface PeerHandlers {
    /** Something that the call's state machine wants to know. */
    path(event: PathEvent): void;
    /** The path is interrupted (`true`) or carries again. */
    interrupted(interrupted: boolean): void;
    /** {@link PeerPath.local} has something. */
    candidates(): void;
}
/** One path. Its operations run one after the other. */
export declare class PeerPath {
    #private;
    /** The peer's device. The caller does not know it before the first device has verified. */
    party: number | undefined;
    /** Encrypted both ways, with the certificate that was signalled: the browser compares them (RFC 8122 §6.2). */
    isUp: boolean;
    /** The other side was told of this end. */
    described: boolean;
    /** Ways to reach this end. */
    readonly local: LocalCandidates;
    /**
     * @param certificate of the call: the same on every path
     * @param iceServers for candidates beyond the own interfaces
     * @param handlers what is to be called
     */
    constructor(certificate: RTCCertificate, iceServers: RTCIceServer[], handlers: PeerHandlers);
    /** What the browser counts. */
    get connection(): RTCPeerConnection;
    /** Gives the peer's audio out, as soon as there is a track for it. Playing it is up to the call. */
    listen(play: (track: MediaStreamTrack) => void): void;
    /**
     * Caller: this end. Nothing is gathered yet.
     *
     * @throws when the browser cannot describe audio that could be used
     */
    offer(): Promise<SessionDescription>;
    /** Caller: begins to gather, now that the servers for it are known. */
    gather(iceServers: RTCIceServer[]): void;
    /** Caller: the other side's answer. Only the first one counts. */
    setAnswer(description: SessionDescription): void;
    /**
     * Callee: answers the other side's description, and begins to gather. Only the first one counts.
     *
     * @param tell is given this end
     */
    answer(description: SessionDescription, tell: (own: SessionDescription) => void): void;
    /** More candidates of the other side. They are kept until {@link allowChecks}. */
    addCandidates(generation: number, candidates: string[], end: boolean): void;
    /** The other side may learn this side's addresses, which checks show. */
    allowChecks(): void;
    /** Sends this track from now on, or nothing. No track was ever attached before: not a packet leaves before the accept. */
    send(track: MediaStreamTrack | null): void;
    /** Caller: watches for the first audio packet, and tells it once. */
    watchAudio(): void;
    /** The accept came another way, or another device verified. */
    stopWatchingAudio(): void;
    /** Closes with a DTLS close_notify, which is the goodbye that a browser can say. */
    close(): void;
}
