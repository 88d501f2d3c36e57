/** How a call sounds, estimated from what is measured (ITU-T G.107). */

import type { QualityParams } from '../params.js';
import type { InboundAudio, Statistics } from './statistics.js';

/** What only grows. */
type Counter = Exclude<keyof InboundAudio, 'kind' | 'ssrc' | 'jitter'>;

/** Names of the quality levels. */
export const QUALITY_LEVEL = {
  /** Hard to understand (below 3.1 on the scale of 1 to 4.4). */
  BAD: 0,
  /** Annoying (from 3.1). */
  POOR: 1,
  /** Audibly disturbed (from 3.6). */
  FAIR: 2,
  /** Hardly disturbed (from 4.0). */
  GOOD: 3,
  /** Undisturbed (from 4.2). */
  EXCELLENT: 4,
} as const;

/** Lowest score of each level but the lowest: the borders of G.107 annex B, table B.1, and one above them. */
const BORDERS = [3.1, 3.6, 4.0, 4.2];
/** How far above a border a score must be before the level rises, and for how many intervals. */
const MARGIN = 0.05;
const STEADY = 3;
/** Delay of coding, packets and devices beyond network and jitter buffer, in ms. */
const FIXED_DELAY = 40;
/** Transmission rating without impairments (G.107 table 3), and the loss robustness that G.113 appendix I gives a codec with concealment. */
const BEST_RATING = 93.2;
const ROBUSTNESS = 25.1;

/**
 * Mean opinion score by the E-model, 1 to 4.41.
 *
 * @param delay from mouth to ear in ms
 * @param loss share of packets lost, 0 to 1, taken as random
 */
export function meanOpinionScore(delay: number, loss: number): number {
  // G.107 §7.4 in its usual simplified form: beyond some 177 ms a conversation suffers faster.
  const delayed = 0.024 * delay + Math.max(0, 0.11 * (delay - 177.3));
  const lost = 95 * ((100 * loss) / (100 * loss + ROBUSTNESS));
  const rating = Math.min(100, Math.max(0, BEST_RATING - delayed - lost));
  return Math.max(1, 1 + 0.035 * rating + 7e-6 * rating * (rating - 60) * (100 - rating));
}

/** Turns snapshots into quality events. */
export class Quality {
  #before: Statistics | undefined;
  #level: number | undefined;
  #better = 0;

  /** What changed since the snapshot before. The first one has nothing to compare with and gives `undefined`. */
  update(now: Statistics): QualityParams | undefined {
    const before = this.#before?.inboundRtpStats.audio;
    this.#before = now;
    const inbound = now.inboundRtpStats.audio;
    const outbound = now.outboundRtpStats.audio;
    if (!before || inbound.ssrc !== before.ssrc) {
      return undefined;
    }
    const grown = (name: Counter): number => Math.max(0, inbound[name] - before[name]);
    const lost = grown('packetsLost');
    const sent = outbound.fractionLost ?? 0;
    const received = lost && lost / (lost + grown('packetsReceived'));
    // What redundancy repaired was lost and yet heard; what came too late was not lost and yet had to be invented.
    const invented = (grown('concealedSamples') - grown('silentConcealedSamples')) / (grown('totalSamplesReceived') || 1);
    const emitted = grown('jitterBufferEmittedCount');
    const jitterBufferDelay = emitted > 0 ? grown('jitterBufferDelay') / emitted : null;
    const delay = 500 * (now.roundTripTime ?? 0) + 1000 * (jitterBufferDelay ?? 0) + FIXED_DELAY;
    const mos = meanOpinionScore(delay, Math.min(1, Math.max(0, invented, sent)));
    return {
      level: this.#step(mos),
      mos,
      roundTripTime: now.roundTripTime,
      lossRate: Math.max(received, sent),
      jitter: Math.max(inbound.jitter, outbound.remoteJitter ?? 0),
      jitterBufferDelay,
    };
  }

  /** A level that does not flicker: it falls at once, and rises one step at a time. */
  #step(mos: number): number {
    const is = levelOf(mos);
    const shown = this.#level ?? is;
    if (is <= shown) {
      this.#better = 0;
      this.#level = is;
    } else {
      this.#better = levelOf(mos - MARGIN) > shown ? this.#better + 1 : 0;
      if (this.#better >= STEADY) {
        this.#better = 0;
        this.#level = shown + 1;
      }
    }
    return this.#level ?? shown;
  }
}

function levelOf(mos: number): number {
  return BORDERS.filter((border) => mos >= border).length;
}
