/** The paths of a call: one for each device of the callee, and what they and the state machine tell each other. */
import type { SessionDescription } from '../signaling/messages.js';
import type { PathEvent, Role } from '../signaling/types.js';
import { PeerPath } from './peer.js';
/** What the paths need of the call. */
export interface PathsHandlers {
    /** A path with a known device has news. */
    path(party: number, event: PathEvent): void;
    /** The path with the device that accepted is interrupted, or carries again. */
    interrupted(interrupted: boolean): void;
    /** This end, for the other side. `party` is the device that is meant. */
    describe(party: number | null, description: SessionDescription): void;
    /** More candidates of this end. */
    candidates(party: number | null, generation: number, candidates: string[], end: boolean): void;
}
/** All paths of one call. */
export declare class Paths {
    #private;
    /**
     * @param role of this device
     * @param configuration of every path, without servers
     * @param handlers what is to be called
     */
    constructor(role: Role, configuration: RTCConfiguration, handlers: PathsHandlers);
    /** The path that carries the call: the one with the device that accepted. */
    get active(): PeerPath | undefined;
    /** Caller: makes the first path, which belongs to the first device that answers. */
    first(): Promise<SessionDescription>;
    /** The server let us in. The first time, gathering begins; later ones bring credentials for the next restart. */
    admit(iceServers: RTCIceServer[]): void;
    /** The peer may learn this side's addresses: the service allows it, or the call is accepted. */
    show(): void;
    /** Caller: makes a path for a further device. */
    add(party: number): Promise<void>;
    /** How the device is reached. */
    setRemote(party: number, description: SessionDescription): void;
    /** Candidates of the device. */
    addCandidates(party: number, generation: number, candidates: string[], end: boolean): void;
    /** The network may be another one, or a path is interrupted: new ways are looked for. */
    restart(): void;
    /** The device accepted: its path carries the call. */
    activate(party: number): PeerPath | undefined;
    /** Caller: whether audio of the device counts as its accept. It does only while exactly one device verified. */
    watchAudio(alone: boolean): void;
    /** The path with this device is of no use any more. */
    close(party: number): void;
    /** The call is over. */
    closeAll(): void;
}
