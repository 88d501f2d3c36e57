// WAV files of 16-bit PCM.

/** @typedef {{ samples: Float32Array, rate: number }} Sound mono, full scale is 1 */

/**
 * Where the samples begin in a RIFF file, and its format; undefined while the header is incomplete.
 * @param {Buffer} bytes
 * @returns {{ at: number, length: number, channels: number, rate: number } | undefined}
 */
export function header(bytes) {
  let format;
  for (let at = 12; at + 8 <= bytes.length; ) {
    const id = bytes.toString('latin1', at, at + 4);
    const length = bytes.readUInt32LE(at + 4);
    if (id === 'fmt ' && at + 24 <= bytes.length) {
      if (bytes.readUInt16LE(at + 22) !== 16) throw new Error('only 16-bit samples are supported');
      format = { channels: bytes.readUInt16LE(at + 10), rate: bytes.readUInt32LE(at + 12) };
    }
    if (id === 'data' && format) return { at: at + 8, length, ...format };
    at += 8 + length + (length & 1);
  }
  return undefined;
}

/**
 * @param {Buffer} bytes a mono file
 * @returns {Sound}
 */
export function readWav(bytes) {
  const found = header(bytes);
  if (!found || found.channels !== 1) throw new Error('not a mono WAV file');
  return { samples: fromPcm(bytes.subarray(found.at, found.at + found.length)), rate: found.rate };
}

/**
 * Little-endian 16-bit samples as floats; an odd byte at the end is left out.
 * @param {Uint8Array} bytes
 * @returns {Float32Array}
 */
export function fromPcm(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const samples = new Float32Array(bytes.byteLength >> 1);
  for (let index = 0; index < samples.length; index += 1) samples[index] = view.getInt16(index * 2, true) / 32768;
  return samples;
}

/**
 * @param {Sound} sound
 * @returns {Buffer} the file
 */
export function writeWav({ samples, rate }) {
  const bytes = Buffer.alloc(44 + samples.length * 2);
  bytes.write('RIFF', 0, 'latin1');
  bytes.writeUInt32LE(36 + samples.length * 2, 4);
  bytes.write('WAVEfmt ', 8, 'latin1');
  bytes.writeUInt32LE(16, 16);
  bytes.writeUInt16LE(1, 20);
  bytes.writeUInt16LE(1, 22);
  bytes.writeUInt32LE(rate, 24);
  bytes.writeUInt32LE(rate * 2, 28);
  bytes.writeUInt16LE(2, 32);
  bytes.writeUInt16LE(16, 34);
  bytes.write('data', 36, 'latin1');
  bytes.writeUInt32LE(samples.length * 2, 40);
  samples.forEach((sample, index) => {
    bytes.writeInt16LE(Math.round(Math.max(-1, Math.min(1, sample)) * 32767), 44 + index * 2);
  });
  return bytes;
}

/**
 * The same sound `times` times in a row.
 * @param {Sound} sound
 * @param {number} times
 * @returns {Sound}
 */
export function repeated(sound, times) {
  const samples = new Float32Array(sound.samples.length * times);
  for (let round = 0; round < times; round += 1) samples.set(sound.samples, round * sound.samples.length);
  return { samples, rate: sound.rate };
}
