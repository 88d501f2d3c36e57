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

/** Counters of the browser that are passed on under their names. */
const SENT = ['ssrc', 'packetsSent', 'bytesSent'] as const;
const RECEIVED = [
  ...['ssrc', 'packetsReceived', 'bytesReceived', 'packetsLost', 'jitter', 'jitterBufferDelay', 'jitterBufferEmittedCount'] as const,
  ...['totalSamplesReceived', 'concealedSamples', 'silentConcealedSamples'] as const,
] as const;

/**
 * Reads a report of the browser.
 *
 * @param report of the connection; `undefined` gives a snapshot of nothing
 * @param heard level of the own audio, 0 to 1, for a browser whose report has none
 */
export function statistics(report?: RTCStatsReport, heard: () => number = () => 0): Statistics {
  const entries: Entry[] = [];
  report?.forEach((entry: Entry) => entries.push(entry));
  const find = (type: string, name?: string, value: unknown = 'audio'): Entry | undefined =>
    entries.find((entry) => entry.type === type && (!name || entry[name] === value));
  const linked = (entry: Entry | undefined, name: string): Entry | undefined =>
    entries.find((it) => entry && it['id'] === entry[name]);

  const outbound = find('outbound-rtp', 'kind');
  const inbound = find('inbound-rtp', 'kind');
  const remote = find('remote-inbound-rtp', 'kind');
  const transport = find('transport');
  // Firefox names no selected pair.
  const pair = linked(transport, 'selectedCandidatePairId') ?? find('candidate-pair', 'nominated', true);
  return {
    outboundRtpStats: {
      audio: {
        kind: 'audio',
        ...pick(outbound, SENT),
        fractionLost: number(remote, 'fractionLost'),
        remoteJitter: number(remote, 'jitter'),
      },
    },
    inboundRtpStats: { audio: { kind: 'audio', ...pick(inbound, RECEIVED) } },
    roundTripTime: number(remote, 'roundTripTime') ?? number(pair, 'currentRoundTripTime'),
    localLevel: level(number(find('media-source', 'kind'), 'audioLevel') ?? heard()),
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
  return Math.round(Math.min(100, Math.max(0, 100 + (2000 / 60) * Math.log10(amplitude))));
}

function pick<N extends string>(entry: Entry | undefined, names: readonly N[]): { [K in N]: number } {
  return Object.fromEntries(names.map((name) => [name, number(entry, name) ?? 0])) as { [K in N]: number };
}

function number(entry: Entry | undefined, name: string): number | null {
  const value = entry?.[name];
  return Number.isFinite(value) ? (value as number) : null;
}

function text(entry: Entry | undefined, name: string): string | null {
  return (entry?.[name] as string | undefined) ?? null;
}
