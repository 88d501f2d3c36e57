// Recognising known speech in a recording: the energies of a few frequency bands over time are laid against those of the
// clip at every offset. Silence, noise, tones and other speech do not fit anywhere.

/** Rate that everything is brought to, in Hz. */
const RATE = 16_000;
/** Step and window of the energies, in samples. */
const STEP = 160;
const WINDOW = 400;
/** Middles of the bands in Hz, and their quality factor. */
const BANDS = [250, 500, 1000, 2000, 3500];
const QUALITY = 1.4;
/** Likeness from which on speech counts as recognised. */
export const HEARD = 0.8;
/** Likeness from which on it may be speech that was stretched. */
const NEARLY = 0.45;
/** Likeness up to which it counts as something else. */
export const FOREIGN = 0.65;
/** Likeness of elastic speech from which on it counts as recognised, and by how much the other speech must be less like it. */
const ELASTIC = 0.82;
const APART = 0.12;
/** Frames of a piece of elastic speech, and by how many it may lie elsewhere than the piece before: a jitter buffer stretches and skips. */
const PIECE = 50;
const SHIFT = 12;
/** Length of speech that is compared, in seconds: enough that other speech does not fit by chance. */
export const SPAN = 3;
/** Root mean square of 20 ms below which it is silent: 50 dB below full scale, far below any syllable. */
const SILENT = 0.003;
/** Spread of the compressed energies below which there is nothing to compare. */
const FLAT = 1e-5;

/** @typedef {import('./wav.mjs').Sound} Sound */

/**
 * One clip, which its speaker says over and over.
 */
export class Clip {
  /**
   * @param {string} name
   * @param {Sound} sound
   */
  constructor(name, sound) {
    this.name = name;
    this.sound = sound;
    const samples = toRate(sound);
    this.frames = Math.floor(samples.length / STEP);
    // A second round, so that a window over the seam is compared with what really was said there.
    const twice = new Float32Array(this.frames * STEP * 2);
    twice.set(samples.subarray(0, this.frames * STEP));
    twice.set(samples.subarray(0, this.frames * STEP), this.frames * STEP);
    this.features = features(twice);
    this.centred = this.features.map(centre);
    this.pause = longestSilence(sound);
  }

  /**
   * How well `heard` fits this clip where it fits best, −1 to 1; 0 when there is nothing to compare.
   * @param {Sound} heard at most as long as the clip
   * @returns {number}
   */
  likeness(heard) {
    const { centred, count, energy } = this.#prepare(heard);
    if (!energy) return 0;
    let best = -1;
    for (let lag = 0; lag < this.frames; lag += 1) {
      let product = 0;
      let own = 0;
      for (let band = 0; band < BANDS.length; band += 1) {
        const said = this.features[band].subarray(lag, lag + count);
        const [dot, spread] = against(said, centred[band]);
        product += dot;
        own += spread;
      }
      if (own > 0) best = Math.max(best, product / Math.sqrt(own * energy));
    }
    return best;
  }

  /**
   * As {@link likeness}, but each half second may lie a little earlier or later in the clip than the one before it: as a starved
   * machine plays it, whose jitter buffers stretch, skip and fill.
   * @param {Sound} heard at most as long as the clip
   * @returns {number}
   */
  elasticLikeness(heard) {
    const { centred, count, energy } = this.#prepare(heard);
    if (!energy) return 0;
    const own = this.centred.reduce((sum, band) => sum + square(band), 0) / (2 * this.frames);
    // What was heard has another strength; squares of differences want the same.
    const gain = Math.sqrt((own * count) / energy);
    /** @type {{ score: Float64Array, from: Int32Array, product: Float64Array, spread: Float64Array }[]} */
    const rows = [];
    for (let begin = 0; begin + PIECE <= count; begin += PIECE) {
      const row = {
        score: new Float64Array(this.frames),
        from: new Int32Array(this.frames),
        product: new Float64Array(this.frames),
        spread: new Float64Array(this.frames),
      };
      const before = rows.at(-1)?.score;
      for (let lag = 0; lag < this.frames; lag += 1) {
        let [product, spread] = [0, 0];
        for (let band = 0; band < BANDS.length; band += 1) {
          const said = this.centred[band];
          for (let index = begin; index < begin + PIECE; index += 1) {
            const value = said[lag + index];
            product += value * centred[band][index];
            spread += value * value;
          }
        }
        [row.product[lag], row.spread[lag], row.from[lag]] = [product, spread, before ? this.#nearBest(before, lag) : lag];
        row.score[lag] = (before?.[row.from[lag]] ?? 0) + gain * product - spread / 2;
      }
      rows.push(row);
    }
    const last = rows[rows.length - 1].score;
    let lag = last.reduce((best, score, at) => (score > last[best] ? at : best), 0);
    let [product, spread] = [0, 0];
    for (const row of rows.reverse()) {
      product += row.product[lag];
      spread += row.spread[lag];
      lag = row.from[lag];
    }
    return spread > 0 ? product / Math.sqrt(spread * energy) : 0;
  }

  /**
   * @param {Float64Array} score
   * @param {number} lag
   * @returns {number} the best of the lags near it
   */
  #nearBest(score, lag) {
    let best = lag;
    for (let shift = -SHIFT; shift <= SHIFT; shift += 1) {
      const at = (lag + shift + this.frames) % this.frames;
      if (score[at] > score[best]) best = at;
    }
    return best;
  }

  /**
   * @param {Sound} heard
   * @returns {{ centred: Float32Array[], count: number, energy: number }} no energy when there is nothing to compare
   */
  #prepare(heard) {
    const samples = toRate(heard);
    const found = features(samples.subarray(0, Math.min(samples.length, this.frames * STEP)));
    const count = found[0]?.length ?? 0;
    const centred = found.map(centre);
    const energy = centred.reduce((sum, band) => sum + square(band), 0);
    return { centred, count, energy: count < PIECE || energy / (count * BANDS.length) < FLAT ? 0 : energy };
  }
}

/**
 * Whether `heard` is this clip and not the other.
 * @param {Sound} heard
 * @param {Clip} clip
 * @param {Clip} other
 * @returns {{ heard: boolean, likeness: number, foreign: number }}
 */
export function recognise(heard, clip, other) {
  const likeness = clip.likeness(heard);
  const foreign = other.likeness(heard);
  if (likeness >= HEARD && foreign <= FOREIGN && likeness - foreign >= 0.2) return { heard: true, likeness, foreign };
  // Only what is nearly there is looked at more closely, which costs more.
  if (likeness < NEARLY || foreign > FOREIGN) return { heard: false, likeness, foreign };
  const elastic = clip.elasticLikeness(heard);
  const apart = elastic - other.elasticLikeness(heard);
  return { heard: elastic >= ELASTIC && apart >= APART, likeness, foreign };
}

/**
 * Seconds of silence at the end.
 * @param {Sound} sound
 * @returns {number}
 */
export function silenceAtEnd({ samples, rate }) {
  const step = Math.round(rate / 50);
  let count = 0;
  for (let end = samples.length; end >= step; end -= step, count += 1) {
    if (Math.sqrt(square(samples.subarray(end - step, end)) / step) >= SILENT) break;
  }
  return count / 50;
}

/**
 * The longest silence in a clip that is repeated, in seconds.
 * @param {Sound} sound
 * @returns {number}
 */
export function longestSilence({ samples, rate }) {
  const step = Math.round(rate / 50);
  let [longest, current] = [0, 0];
  for (let round = 0; round < 2; round += 1) {
    for (let from = 0; from + step <= samples.length; from += step) {
      const loud = Math.sqrt(square(samples.subarray(from, from + step)) / step) >= SILENT;
      current = loud ? 0 : current + 1;
      longest = Math.max(longest, current);
    }
  }
  return longest / 50;
}

/**
 * Brought to {@link RATE}; whole ratios only, which is what the clips and the phones have.
 * @param {Sound} sound
 * @returns {Float32Array}
 */
function toRate({ samples, rate }) {
  const ratio = rate / RATE;
  if (ratio === 1) return samples;
  if (!Number.isInteger(ratio)) throw new Error(`${rate} Hz is no multiple of ${RATE} Hz`);
  const out = new Float32Array(Math.floor(samples.length / ratio));
  for (let index = 0; index < out.length; index += 1) {
    let sum = 0;
    for (let part = 0; part < ratio; part += 1) sum += samples[index * ratio + part];
    out[index] = sum / ratio;
  }
  return out;
}

/**
 * Energy of each band over time, compressed so that soft consonants weigh too.
 * @param {Float32Array} samples
 * @returns {Float32Array[]}
 */
function features(samples) {
  return BANDS.map((middle) => {
    const sums = new Float64Array(samples.length + 1);
    const angle = (2 * Math.PI * middle) / RATE;
    const alpha = Math.sin(angle) / (2 * QUALITY);
    const [b0, a0, a1, a2] = [alpha, 1 + alpha, -2 * Math.cos(angle), 1 - alpha];
    let [x1, x2, y1, y2] = [0, 0, 0, 0];
    for (let index = 0; index < samples.length; index += 1) {
      const x = samples[index];
      const y = (b0 * (x - x2) - a1 * y1 - a2 * y2) / a0;
      [x2, x1, y2, y1] = [x1, x, y1, y];
      sums[index + 1] = sums[index] + y * y;
    }
    const count = Math.floor(samples.length / STEP);
    const out = new Float32Array(count);
    for (let index = 0; index < count; index += 1) {
      const middleOf = index * STEP + STEP / 2;
      const from = Math.max(0, middleOf - WINDOW / 2);
      const to = Math.min(samples.length, middleOf + WINDOW / 2);
      out[index] = ((sums[to] - sums[from]) / (to - from)) ** 0.25;
    }
    return out;
  });
}

/** @param {Float32Array} values */
function centre(values) {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return values.map((value) => value - mean);
}

/** @param {Float32Array} values */
function square(values) {
  let sum = 0;
  for (const value of values) sum += value * value;
  return sum;
}

/**
 * Product of `said` with `heard`, which has no mean, and how much `said` spreads.
 * @param {Float32Array} said
 * @param {Float32Array} heard
 * @returns {[number, number]}
 */
function against(said, heard) {
  let [product, sum, squares] = [0, 0, 0];
  for (let index = 0; index < heard.length; index += 1) {
    const value = said[index];
    product += value * heard[index];
    sum += value;
    squares += value * value;
  }
  return [product, squares - (sum * sum) / heard.length];
}
