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
  /** Packets that came too late to be played. */
  packetsDiscarded: number;
  /** Interarrival jitter in seconds. */
  jitter: number | null;
  /** Sum over all emitted samples of the seconds that each spent in the buffer. */
  jitterBufferDelay: number;
  /** Samples that came out of the buffer. */
  jitterBufferEmittedCount: number;
  /** Samples played, concealed ones included. */
  totalSamplesReceived: number;
  /** Samples that had to be invented. */
  concealedSamples: number;
}

/** A snapshot; counters run from the start of the path. Everything is zero or `null` before there is a path. */
export interface Statistics {
  /** What is sent. */
  outboundRtpStats: { audio: OutboundAudio };
  /** What is received. */
  inboundRtpStats: { audio: InboundAudio };
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
  codecs: { outbound: string | null; inbound: string | null };
}

type Entry = Record<string, unknown> & { type: string };

/**
 * Reads a report of the browser.
 *
 * @param report of the connection; `undefined` gives a snapshot of nothing
 */
export function statistics(report: RTCStatsReport | undefined): Statistics {
  const entries = new Map<string, Entry>();
  report?.forEach((entry: Entry, id: string) => entries.set(id, entry));
  const find = (type: string, fits: (entry: Entry) => boolean = () => true): Entry | undefined =>
    [...entries.values()].find((entry) => entry.type === type && fits(entry));
  const linked = (entry: Entry | undefined, name: string): Entry | undefined => entries.get(String(entry?.[name]));
  const isAudio = (entry: Entry): boolean => entry['kind'] === 'audio';

  const outbound = find('outbound-rtp', isAudio);
  const inbound = find('inbound-rtp', isAudio);
  const remote = find('remote-inbound-rtp', isAudio);
  const source = find('media-source', isAudio);
  const transport = find('transport');
  // Firefox has no `transport`; the pair that carries is marked there.
  const pair =
    linked(transport, 'selectedCandidatePairId') ??
    find('candidate-pair', (it) => it['nominated'] === true && it['state'] === 'succeeded');

  return {
    outboundRtpStats: {
      audio: {
        kind: 'audio',
        ssrc: number(outbound, 'ssrc') ?? 0,
        packetsSent: number(outbound, 'packetsSent') ?? 0,
        bytesSent: number(outbound, 'bytesSent') ?? 0,
        fractionLost: number(remote, 'fractionLost'),
        remoteJitter: number(remote, 'jitter'),
      },
    },
    inboundRtpStats: {
      audio: {
        kind: 'audio',
        ssrc: number(inbound, 'ssrc') ?? 0,
        packetsReceived: number(inbound, 'packetsReceived') ?? 0,
        bytesReceived: number(inbound, 'bytesReceived') ?? 0,
        packetsLost: number(inbound, 'packetsLost') ?? 0,
        packetsDiscarded: number(inbound, 'packetsDiscarded') ?? 0,
        jitter: number(inbound, 'jitter'),
        jitterBufferDelay: number(inbound, 'jitterBufferDelay') ?? 0,
        jitterBufferEmittedCount: number(inbound, 'jitterBufferEmittedCount') ?? 0,
        totalSamplesReceived: number(inbound, 'totalSamplesReceived') ?? 0,
        concealedSamples: number(inbound, 'concealedSamples') ?? 0,
      },
    },
    roundTripTime: number(remote, 'roundTripTime') ?? number(pair, 'currentRoundTripTime'),
    localLevel: level(number(source, 'audioLevel') ?? 0),
    peerLevel: level(number(inbound, 'audioLevel') ?? 0),
    localCandidateType: text(linked(pair, 'localCandidateId'), 'candidateType'),
    remoteCandidateType: text(linked(pair, 'remoteCandidateId'), 'candidateType'),
    dtlsVersion: text(transport, 'tlsVersion'),
    srtpCipher: text(transport, 'srtpCipher'),
    codecs: { outbound: text(linked(outbound, 'codecId'), 'mimeType'), inbound: text(linked(inbound, 'codecId'), 'mimeType') },
  };
}

/**
 * A level on the scale of the native SDK: decibels, with -60 dB of full scale or less as 0 and full scale as 100.
 *
 * @param amplitude effective value, 0 to 1
 */
export function level(amplitude: number): number {
  return Math.round(Math.min(100, Math.max(0, 100 + (2000 / 60) * Math.log10(Math.max(amplitude, 1e-9)))));
}

function number(entry: Entry | undefined, name: string): number | null {
  const value = entry?.[name];
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}

function text(entry: Entry | undefined, name: string): string | null {
  const value = entry?.[name];
  return typeof value === 'string' ? value : null;
}
