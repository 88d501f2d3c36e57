/** Looks at a call while it is connected: quality, levels, statistics. */

import type { CallDelegate, CommonParams } from '../params.js';
import { Quality } from './quality.js';
import { statistics, type Statistics } from './statistics.js';

const QUALITY_INTERVAL = 1_000;
const LEVEL_INTERVAL = 500;
const SHORTEST_INTERVAL = 200;

/** Takes statistics, and tells the application what is to be told regularly. */
export class Monitor {
  readonly #params: CommonParams;
  readonly #connection: () => RTCPeerConnection | undefined;
  readonly #deliver: (tell: (delegate: CallDelegate) => void) => void;
  readonly #quality = new Quality();
  #timers: ReturnType<typeof setInterval>[] = [];
  #last = statistics(undefined);

  /**
   * @param params intervals
   * @param connection that carries the call, when there is one
   * @param deliver tells the application
   */
  constructor(
    params: CommonParams,
    connection: () => RTCPeerConnection | undefined,
    deliver: (tell: (delegate: CallDelegate) => void) => void,
  ) {
    this.#params = params;
    this.#connection = connection;
    this.#deliver = deliver;
  }

  /** A snapshot; after the call the last one that was taken. */
  async snapshot(): Promise<Statistics> {
    // One that is being closed gives none.
    const report = await this.#connection()?.getStats().catch(() => undefined);
    if (report) {
      this.#last = statistics(report);
    }
    return this.#last;
  }

  /** The call is connected. */
  start(): void {
    this.#every(this.#params.statsInterval ?? QUALITY_INTERVAL, (snapshot) => {
      const quality = this.#quality.update(snapshot);
      if (quality) {
        this.#deliver((it) => it.evtQuality?.(quality));
      }
    });
    this.#every(this.#params.audioDescriptionInterval ?? LEVEL_INTERVAL, ({ localLevel, peerLevel }) => {
      this.#deliver((it) => it.evtMyAudioDescription?.(localLevel));
      this.#deliver((it) => it.evtPeerAudioDescription?.(peerLevel));
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
