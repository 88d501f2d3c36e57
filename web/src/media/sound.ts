/** What the SDK does with sound itself: the tone that the held side hears, and the level of the microphone. */

/** Two soft beeps of 425 Hz (ITU-T E.180), then a pause, in seconds. They begin and end where the wave is zero, so nothing clicks. */
const isBeep = (time: number): boolean => time < 0.18 || (time > 0.32 && time < 0.5);
const PERIOD = 4;
const FREQUENCY = 425;
const VOLUME = 0.12;
/** Samples that a level is taken of: some 340 ms at 48 kHz. */
const WINDOW = 16_384;

/** The call's audio context, made when it is needed first. */
export class Sound {
  #context: AudioContext | undefined;
  #tone: AudioBufferSourceNode | undefined;
  #analyser: AnalyserNode | undefined;
  #source: MediaStreamAudioSourceNode | undefined;
  #track: MediaStreamTrack | undefined;

  /** Beeps until it is told to stop. */
  set beeping(beeping: boolean) {
    if (beeping && !this.#tone) {
      const context = this.#open();
      const tone = context.createBufferSource();
      tone.buffer = beeps(context);
      tone.loop = true;
      tone.connect(context.destination);
      tone.start();
      this.#tone = tone;
    } else if (!beeping) {
      this.#tone?.stop();
      this.#tone = undefined;
    }
  }

  /**
   * Level of a track, 0 to 1.
   *
   * @param track of which it is the effective value of the latest samples; 0 while the browser plays nothing yet
   */
  level(track: MediaStreamTrack): number {
    const context = this.#open();
    const analyser = (this.#analyser ??= new AnalyserNode(context, { fftSize: WINDOW }));
    if (track !== this.#track) {
      this.#track = track;
      this.#source?.disconnect();
      this.#source = context.createMediaStreamSource(new MediaStream([track]));
      this.#source.connect(analyser);
    }
    const samples = new Float32Array(WINDOW);
    analyser.getFloatTimeDomainData(samples);
    return Math.hypot(...samples) / Math.sqrt(WINDOW);
  }

  /** The user touched the page. */
  async resume(): Promise<void> {
    await this.#context?.resume();
  }

  /** Where the tone is heard, if the browser can choose. */
  async choose(deviceId: string): Promise<void> {
    const context = this.#open() as AudioContext & { setSinkId?(id: string): Promise<void> };
    await context.setSinkId?.(deviceId);
  }

  /** Stops for good. */
  close(): void {
    this.beeping = false;
    void this.#context?.close();
  }

  #open(): AudioContext {
    const context = (this.#context ??= new AudioContext());
    // Without leave to play it stays silent, like the peer; the application was told what helps.
    context.resume().catch(() => undefined);
    return context;
  }
}

function beeps(context: AudioContext): AudioBuffer {
  const rate = context.sampleRate;
  const buffer = context.createBuffer(1, PERIOD * rate, rate);
  const wave = (_: number, at: number): number => (isBeep(at / rate) ? VOLUME * Math.sin((2 * Math.PI * FREQUENCY * at) / rate) : 0);
  buffer.copyToChannel(new Float32Array(PERIOD * rate).map(wave), 0);
  return buffer;
}
