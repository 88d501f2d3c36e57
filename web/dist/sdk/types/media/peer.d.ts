/** The media path to one device of the peer: one RTCPeerConnection. */
import type { SessionDescription } from '../signaling/messages.js';
import type { PathEvent } from '../signaling/types.js';
import { LocalCandidates } from './candidates.js';
/** What a path tells. Nothing is told after {@link PeerPath.close}. */
export interface PeerHandlers {
    /** Something that the call's state machine wants to know. */
    path(event: PathEvent): void;
    /** The path is interrupted (`true`) or carries again. */
    interrupted(interrupted: boolean): void;
    /** {@link PeerPath.local} has something. */
    candidates(): void;
    /** This end, for the other side: the answer, or a restart. */
    describe(description: SessionDescription): void;
}
/** One path. Its operations run one after the other. */
export declare class PeerPath {
    #private;
    /** The peer's device. The caller does not know it before the first device has verified. */
    party: number | undefined;
    /** Encrypted both ways, with the certificate that was signalled: the browser compares them (RFC 8122 §6.2). */
    isUp: boolean;
    /** Ways to reach this end, of this generation. */
    local: LocalCandidates;
    /** This end, as the other side was told at last; its generation counts the restarts of ICE. */
    own: SessionDescription | undefined;
    /** The other end: what it said at first, with the credentials of its last restart. */
    remote: SessionDescription | undefined;
    /**
     * @param configuration of the connection; its servers are looked at again by {@link gather} and at each restart
     * @param handlers what is to be called
     */
    constructor(configuration: RTCConfiguration, handlers: PeerHandlers);
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
    gather(): void;
    /**
     * How the other side is reached: at first as an answer to {@link offer} or, at the callee, as the offer; then after each restart of
     * ICE by either side. Of those only generation, credentials and candidates count: the certificate stays that of the first.
     *
     * Each side has credentials for a generation once, and sends them when it restarts or when the other side did. So a restart of both
     * at the same moment needs no rule: what the other side sends is taken for the answer, to which it is equal.
     */
    setRemote(description: SessionDescription): void;
    /**
     * Finds the way to the other side anew, while the old one is kept as long as it carries. Nothing happens before the first answer.
     *
     * A Firefox that answered another payload type than its own offers its own now, which the other side would not send. It leaves the
     * restart to that side.
     */
    restart(): void;
    /** More candidates of the other side; `end`: all of them. At most 64 of a generation are taken. */
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
