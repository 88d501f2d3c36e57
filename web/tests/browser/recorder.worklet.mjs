// Hands over everything that comes in, silence included, so that a recording has no gaps.

/** Samples handed over at a time: 300 ms at 48 kHz. Each time costs a request. */
const BLOCK = 14_400;

class Recorder extends AudioWorkletProcessor {
  #block = new Int16Array(BLOCK);
  #filled = 0;
  #loud = false;

  process(inputs) {
    const channels = inputs[0] ?? [];
    const length = channels[0]?.length ?? 128;
    for (let index = 0; index < length; index += 1) {
      let sum = 0;
      for (const channel of channels) sum += channel[index];
      const sample = channels.length ? sum / channels.length : 0;
      if (!this.#loud && Math.abs(sample) > 0.003) {
        this.#loud = true;
        this.port.postMessage({ firstSound: true });
      }
      this.#block[this.#filled] = Math.max(-32768, Math.min(32767, Math.round(sample * 32768)));
      this.#filled += 1;
      if (this.#filled === BLOCK) {
        this.port.postMessage({ pcm: this.#block.buffer }, [this.#block.buffer]);
        this.#block = new Int16Array(BLOCK);
        this.#filled = 0;
      }
    }
    return true;
  }
}

registerProcessor('recorder', Recorder);
