// Recognising a tone in a recording.

/** Where tones of these tests lie, in Hz, and how finely they are told apart. */
const LOWEST = 200;
const HIGHEST = 2000;
const STEP = 10;
/** Seconds looked at. */
const SPAN = 0.5;

/**
 * The loudest pitch of the newest half second, in Hz; 0 while there is less, or hardly anything to hear.
 * @param {Float32Array} samples
 * @param {number} rate
 */
export function loudest(samples, rate) {
  const count = Math.round(SPAN * rate);
  if (samples.length < count) return 0;
  const newest = samples.subarray(samples.length - count);
  let best = 0;
  let most = 0;
  for (let hz = LOWEST; hz <= HIGHEST; hz += STEP) {
    const power = goertzel(newest, hz / rate);
    if (power > most) [best, most] = [hz, power];
  }
  // The amplitude of a tone of this power; -50 dB of full scale is next to nothing.
  return (2 * Math.sqrt(most)) / count > 0.003 ? best : 0;
}

/**
 * Goertzel's algorithm: the power of one frequency.
 * @param {Float32Array} samples
 * @param {number} frequency in cycles per sample
 */
function goertzel(samples, frequency) {
  const factor = 2 * Math.cos(2 * Math.PI * frequency);
  let last = 0;
  let before = 0;
  for (const sample of samples) [last, before] = [sample + factor * last - before, last];
  return last * last + before * before - factor * last * before;
}
