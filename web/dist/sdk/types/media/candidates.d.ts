/** Candidates of this end of a path, one by one (RFC 8838). */
/** What the browser found, until it is sent. At most 64 are kept in all: further ones are left out. */
export declare class LocalCandidates {
    #private;
    /** The browser found one; `null`: that was the last. */
    note(found: RTCIceCandidate | null): void;
    /** Those that were not yet sent, or `undefined` when there is nothing new. */
    take(): {
        candidates: string[];
        end: boolean;
    } | undefined;
}
