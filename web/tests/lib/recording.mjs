// What a phone has heard so far, and waiting for what it shall hear.
import { SPAN, recognise, silenceAtEnd } from './speech.mjs';
import { Signal } from './wait.mjs';
import { fromPcm } from './wav.mjs';

/** Rate of every recording, in Hz. */
export const RATE = 48_000;
/** Samples between two attempts at recognition, which costs time that the phones need. */
const ATTEMPT = RATE / 2;
/** Silence must last this much longer than any pause of the clip to count, in seconds. */
const MARGIN = 0.5;

/** A growing recording, 48 kHz mono. */
export class Recording {
  /** @type {Float32Array[]} */
  #blocks = [];
  #signal = new Signal();
  /** Samples so far. */
  length = 0;

  /** @param {string} who for messages */
  constructor(who) {
    this.who = who;
  }

  /**
   * More was heard.
   * @param {Uint8Array} pcm 16-bit samples
   */
  append(pcm) {
    const samples = fromPcm(pcm);
    if (!samples.length) return;
    this.#blocks.push(samples);
    this.length += samples.length;
    this.#signal.raise();
  }

  /**
   * From sample `from` on.
   * @param {number} [from]
   * @returns {Float32Array}
   */
  since(from = 0) {
    const start = Math.max(0, from);
    const out = new Float32Array(Math.max(0, this.length - start));
    let at = this.length;
    for (let index = this.#blocks.length - 1; index >= 0 && at > start; index -= 1) {
      const block = this.#blocks[index];
      at -= block.length;
      out.set(at >= start ? block : block.subarray(start - at), Math.max(0, at - start));
    }
    return out;
  }

  /**
   * Waits until the newest seconds since `from` are `clip`, and not `other`.
   * @param {import('./speech.mjs').Clip} clip
   * @param {import('./speech.mjs').Clip} other
   * @param {number} [from] sample
   * @param {number} [limit] milliseconds
   * @returns {Promise<{ likeness: number, foreign: number }>}
   */
  hears(clip, other, from = this.length, limit) {
    let best = { likeness: 0, foreign: 0 };
    let next = from + SPAN * RATE;
    return this.#signal.until(
      () => {
        if (this.length < next) return undefined;
        next = this.length + ATTEMPT;
        const found = recognise({ samples: this.since(this.length - SPAN * RATE), rate: RATE }, clip, other);
        if (found.likeness > best.likeness) best = found;
        return found.heard ? found : undefined;
      },
      () =>
        `${this.who}: hearing the ${clip.name} (${((this.length - from) / RATE).toFixed(1)} s heard, likeness at best ` +
        `${best.likeness.toFixed(2)}, to the other ${best.foreign.toFixed(2)})`,
      limit,
    );
  }

  /**
   * Waits for silence that is longer than any pause of `clip`, so that it cannot be one of them.
   * @param {import('./speech.mjs').Clip} clip
   * @param {number} [from] sample
   * @param {number} [limit] milliseconds
   * @returns {Promise<true>}
   */
  fallsSilent(clip, from = this.length, limit) {
    const needed = clip.pause + MARGIN;
    let longest = 0;
    return this.#signal.until(
      () => {
        const newest = Math.max(from, this.length - Math.ceil((needed + 0.1) * RATE));
        const silence = silenceAtEnd({ samples: this.since(newest), rate: RATE });
        longest = Math.max(longest, silence);
        return silence >= needed ? true : undefined;
      },
      () => `${this.who}: silence (at most ${longest.toFixed(2)} s of ${needed.toFixed(2)} s)`,
      limit,
    );
  }

  /**
   * Waits until what is heard is no speech of either clip: silence or tones only.
   * @param {import('./speech.mjs').Clip} clip
   * @param {import('./speech.mjs').Clip} other
   * @param {number} [from] sample
   * @param {number} [limit] milliseconds
   * @returns {Promise<true>}
   */
  losesSpeech(clip, other, from = this.length, limit) {
    let last = 1;
    let next = from + SPAN * RATE;
    return this.#signal.until(
      () => {
        if (this.length < next) return undefined;
        next = this.length + ATTEMPT;
        const sound = { samples: this.since(this.length - SPAN * RATE), rate: RATE };
        last = Math.max(clip.likeness(sound), other.likeness(sound));
        return last < 0.6 ? true : undefined;
      },
      () => `${this.who}: no more speech (likeness ${last.toFixed(2)})`,
      limit,
    );
  }

  /**
   * Waits until `find` gives the index of a sample.
   * @param {(samples: Float32Array) => number} find −1 when there is none yet
   * @returns {Promise<number>}
   */
  finds(find) {
    return this.#signal.until(() => {
      const index = find(this.since());
      return index < 0 ? undefined : index;
    }, `${this.who}: a sound`);
  }

  /**
   * Waits until at least `count` samples are there since `from`.
   * @param {number} count
   * @param {number} [from]
   */
  grows(count, from = this.length) {
    return this.#signal.until(
      () => (this.length - from >= count ? true : undefined),
      `${this.who}: ${count} samples`,
    );
  }
}
