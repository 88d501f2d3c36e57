/** Candidates of both ends of a path, one by one (RFC 8838). */
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
/**
 * What the other side sent, until it may be used: a check shows this side's address. At most 64 are kept in all: further ones are
 * left out.
 */
export declare class RemoteCandidates {
    #private;
    /** @param use gives one to the browser; `''` says that no more will come */
    constructor(use: (candidate: string) => void);
    /** More of them; `end`: all of them. */
    add(candidates: string[], end: boolean): void;
    /** They may be used now. */
    open(): void;
}
