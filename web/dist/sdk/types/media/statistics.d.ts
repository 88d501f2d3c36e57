/** What a call measures: a subset of W3C webrtc-stats, under its names and in its units. */
/** What was sent. */
export interface OutboundAudio {
    /** `'audio'`. */
    kind: 'audio';
    /** Synchronisation source. */
    ssrc: number;
    /** RTP packets sent. */
    packetsSent: number;
    /** Payload bytes sent. */
    bytesSent: number;
    /** Share of our packets that the peer lost since its report before, 0 to 1; `null` before the first report. */
    fractionLost: number | null;
    /** Jitter of our packets at the peer, in seconds. */
    remoteJitter: number | null;
}
/** What was received. */
export interface InboundAudio {
    /** `'audio'`. */
    kind: 'audio';
    /** Synchronisation source. */
    ssrc: number;
    /** RTP packets received. */
    packetsReceived: number;
    /** Payload bytes received. */
    bytesReceived: number;
    /** Packets lost; negative when duplicates outnumber losses. */
    packetsLost: number;
    /** Interarrival jitter in seconds. */
    jitter: number;
    /** Sum over all emitted samples of the seconds that each spent in the buffer. */
    jitterBufferDelay: number;
    /** Samples that came out of the buffer. */
    jitterBufferEmittedCount: number;
    /** Samples played, concealed ones included. */
    totalSamplesReceived: number;
    /** Samples that had to be invented. */
    concealedSamples: number;
    /** Of those, silent ones: the peer said nothing. */
    silentConcealedSamples: number;
}
/** A snapshot; counters run from the start of the path. Everything is zero or `null` before there is a path. */
export interface Statistics {
    /** What is sent. */
    outboundRtpStats: {
        audio: OutboundAudio;
    };
    /** What is received. */
    inboundRtpStats: {
        audio: InboundAudio;
    };
    /** Round trip in seconds, by RTCP or else by STUN. */
    roundTripTime: number | null;
    /** Level of the own audio, 0 to 100. */
    localLevel: number;
    /** Level of the peer's audio, 0 to 100. */
    peerLevel: number;
    /** `host`, `srflx`, `prflx` or `relay`: how this side is reached. */
    localCandidateType: string | null;
    /** The same of the other side. */
    remoteCandidateType: string | null;
    /** The DTLS version, e.g. `FEFC` for 1.3. */
    dtlsVersion: string | null;
    /** The SRTP protection profile. */
    srtpCipher: string | null;
    /** The formats in use, e.g. `audio/opus`: sent and received. */
    codecs: {
        outbound: string | null;
        inbound: string | null;
    };
}
/**
 * Reads a report of the browser.
 *
 * @param report of the connection; `undefined` gives a snapshot of nothing
 * @param heard level of the own audio, 0 to 1, for a browser whose report has none
 */
export declare function statistics(report?: RTCStatsReport, heard?: () => number): Statistics;
/**
 * A level on the scale of the native SDK: decibels, with -60 dB of full scale or less as 0 and full scale as 100.
 *
 * @param amplitude effective value, 0 to 1
 */
export declare function level(amplitude: number): number;
