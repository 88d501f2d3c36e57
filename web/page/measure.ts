/** From the SDK's counters to figures of the last second. */
import type { Statistics } from '../src/index.ts';

/** What the plots show. A figure is `undefined` where nothing was measured. */
export interface Measured {
  /** Milliseconds of a monotonic clock. */
  at: number;
  /** Milliseconds. */
  roundTrip: number | undefined;
  /** Per cent of the packets that should have come since the last look. */
  loss: number | undefined;
  /** Mean time that sound waited in the jitter buffer since the last look, in milliseconds. */
  jitterBuffer: number | undefined;
  /** kbit/s. */
  received: number | undefined;
  /** kbit/s. */
  sent: number | undefined;
  packetsSent: number;
  packetsReceived: number;
  /** The counters that these figures were made of. */
  counters: Counters;
}

interface Counters {
  bytesSent: number;
  bytesReceived: number;
  lost: number;
  /** Seconds, summed over all samples. */
  delay: number;
  /** Samples. */
  emitted: number;
}

/** The figures between `last` and these statistics, taken at `at`. */
export function measure(statistics: Statistics, at: number, last: Measured | undefined): Measured {
  const out = statistics.outboundRtpStats.audio;
  const into = statistics.inboundRtpStats.audio;
  const counters: Counters = {
    bytesSent: out.bytesSent,
    bytesReceived: into.bytesReceived,
    lost: into.packetsLost,
    delay: into.jitterBufferDelay,
    emitted: into.jitterBufferEmittedCount,
  };
  const { packetsReceived } = into;
  const { roundTripTime } = statistics;
  const measured: Measured = {
    at,
    roundTrip: roundTripTime === null ? undefined : 1_000 * roundTripTime,
    loss: undefined,
    jitterBuffer: undefined,
    received: undefined,
    sent: undefined,
    packetsSent: out.packetsSent,
    packetsReceived,
    counters,
  };
  if (last === undefined || at <= last.at) {
    return measured;
  }
  const since = (name: keyof Counters): number => Math.max(0, counters[name] - last.counters[name]);
  const rate = (bytes: number): number => (bytes * 8) / (at - last.at);
  const expected = since('lost') + Math.max(0, packetsReceived - last.packetsReceived);
  const emitted = since('emitted');
  measured.loss = expected > 0 ? (100 * since('lost')) / expected : undefined;
  measured.jitterBuffer = emitted > 0 ? (1_000 * since('delay')) / emitted : undefined;
  measured.received = rate(since('bytesReceived'));
  measured.sent = rate(since('bytesSent'));
  return measured;
}
