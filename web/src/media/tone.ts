/** The tone that the held side hears: made, not loaded. */

/** Two soft beeps of 425 Hz (ITU-T E.180), then a pause, in seconds. */
const BEEPS: readonly (readonly [from: number, to: number])[] = [
  [0, 0.18],
  [0.32, 0.5],
];
const PERIOD = 4;
const FREQUENCY = 425;
const VOLUME = 0.12;
/** A beep that begins or ends at once clicks. */
const RAMP = 0.02;

/** Plays beeps while the peer holds the call. */
export class HoldTone {
  readonly #given: AudioContext | undefined;
  #context: AudioContext | undefined;
  #source: AudioBufferSourceNode | undefined;
  #wanted = false;
  #allowed = true;
  #sink: string | undefined;

  /** @param given context of the application; one is made when the first tone is wanted otherwise */
  constructor(given: AudioContext | undefined) {
    this.#given = given;
  }

  /** The peer holds the call, or goes on. */
  play(wanted: boolean): void {
    this.#wanted = wanted;
    this.#update();
  }

  /** Whether anything may be heard. */
  set allowed(allowed: boolean) {
    this.#allowed = allowed;
    this.#update();
  }

  /** Where it is heard. */
  set sink(deviceId: string) {
    this.#sink = deviceId;
    this.#direct();
  }

  /** The user touched the page. */
  async resume(): Promise<void> {
    await this.#context?.resume();
  }

  /** Stops for good. */
  close(): void {
    this.play(false);
    if (this.#context !== this.#given) {
      void this.#context?.close();
    }
  }

  #update(): void {
    if (this.#wanted && this.#allowed) {
      this.#start();
    } else {
      this.#source?.stop();
      this.#source = undefined;
    }
  }

  #start(): void {
    if (this.#source) {
      return;
    }
    const context = (this.#context ??= this.#given ?? new AudioContext());
    this.#direct();
    // Without leave to play it stays silent, like the peer; `resume` helps both.
    context.resume().catch(() => undefined);
    const source = context.createBufferSource();
    source.buffer = beeps(context);
    source.loop = true;
    source.connect(context.destination);
    source.start();
    this.#source = source;
  }

  #direct(): void {
    const context = this.#context as (AudioContext & { setSinkId?(id: string): Promise<void> }) | undefined;
    if (this.#sink !== undefined && context !== this.#given) {
      context?.setSinkId?.(this.#sink).catch(() => undefined);
    }
  }
}

function beeps(context: AudioContext): AudioBuffer {
  const buffer = context.createBuffer(1, PERIOD * context.sampleRate, context.sampleRate);
  const samples = buffer.getChannelData(0);
  for (const [from, to] of BEEPS) {
    for (let at = Math.round(from * context.sampleRate); at < to * context.sampleRate; at += 1) {
      const time = at / context.sampleRate;
      const envelope = Math.min(1, (time - from) / RAMP, (to - time) / RAMP);
      samples[at] = VOLUME * envelope * Math.sin(2 * Math.PI * FREQUENCY * time);
    }
  }
  return buffer;
}
