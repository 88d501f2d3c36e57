/** Looks at a call while it is connected: quality, levels, statistics. */

import type { CommonParams } from '../params.js';
import type { Tell } from '../tell.js';
import { Quality } from './quality.js';
import { statistics, type Statistics } from './statistics.js';

const QUALITY_INTERVAL = 1_000;
const LEVEL_INTERVAL = 500;
const SHORTEST_INTERVAL = 200;

/** What a {@link Monitor} looks at. */
export interface Observed {
  /** Intervals. */
  params: CommonParams;
  /** The connection that carries the call, when there is one. */
  connection(): RTCPeerConnection | undefined;
  /** Level of the own audio right now, 0 to 1. */
  heard(): number;
  /** The peer is not heard, as one of both sides holds the call. */
  isSilent(): boolean;
  /** Tells the application. */
  tell: Tell;
}

/** Takes statistics, and tells the application what is to be told regularly. */
export class Monitor {
  readonly #observed: Observed;
  readonly #quality = new Quality();
  #timers: ReturnType<typeof setInterval>[] = [];
  #last = statistics();

  /** @param observed call */
  constructor(observed: Observed) {
    this.#observed = observed;
  }

  /** A snapshot; after the call the last one that was taken. */
  async snapshot(): Promise<Statistics> {
    const { connection, heard, isSilent } = this.#observed;
    // A connection that is being closed gives none, and one that is closed meanwhile is not looked at.
    const report = await connection()?.getStats().catch(() => undefined);
    if (report && connection()) {
      this.#last = statistics(report, heard);
      if (isSilent()) {
        // Browsers go on reporting the level of the last packet.
        this.#last.peerLevel = 0;
      }
    }
    return this.#last;
  }

  /** The call is connected. */
  start(): void {
    const { params, tell } = this.#observed;
    this.#every(params.statsInterval ?? QUALITY_INTERVAL, (snapshot) => {
      const quality = this.#quality.update(snapshot);
      if (quality) {
        tell('evtQuality', quality);
      }
    });
    this.#every(params.audioDescriptionInterval ?? LEVEL_INTERVAL, ({ localLevel, peerLevel }) => {
      tell('evtMyAudioDescription', localLevel);
      tell('evtPeerAudioDescription', peerLevel);
    });
  }

  /** The call is over. */
  stop(): void {
    this.#timers.splice(0).forEach(clearInterval);
  }

  #every(interval: number, look: (snapshot: Statistics) => void): void {
    if (interval > 0) {
      const timer = setInterval(async () => {
        const snapshot = await this.snapshot();
        if (this.#timers.includes(timer)) {
          look(snapshot);
        }
      }, Math.max(interval, SHORTEST_INTERVAL));
      this.#timers.push(timer);
    }
  }
}
