/** The sounds of a telephone, made by WebAudio: ringing here, ringing there, and the short tone at the end. */

/** Which tone repeats. */
export type Tone = 'ring' | 'ringback';

interface Note {
  /** Hertz. */
  frequency: number;
  /** Seconds after the start of the period. */
  at: number;
  /** Seconds. */
  length: number;
  /** 0 to 1. */
  gain: number;
  /** A struck note fades, a held one does not. */
  struck: boolean;
}

/** Two bars of a small bell, then a pause. */
const ringNotes: Note[] = [0, 0.9].flatMap((bar) =>
  [659.26, 783.99, 987.77, 783.99].map((frequency, index) => ({
    frequency,
    at: bar + index * 0.16,
    length: 0.7,
    gain: 0.22,
    struck: true,
  })),
);
/** One second of 425 Hz in four, as most of Europe has it (ITU-T E.180). */
const ringbackNotes: Note[] = [{ frequency: 425, at: 0, length: 1, gain: 0.07, struck: false }];
const endNotes: Note[] = [440, 349.23].map((frequency, index) => ({
  frequency,
  at: index * 0.14,
  length: 0.35,
  gain: 0.14,
  struck: true,
}));
/** Seconds between two rings. */
const PERIODS = { ring: 3.2, ringback: 4 };
/** How soon a sound that could not start is tried again, in milliseconds: a click should be followed by a ring. */
const RETRY = 400;

/** Plays one tone at a time. */
export class Tones {
  #context: AudioContext | undefined;
  #tone: Tone | undefined;
  #timer: number | undefined;
  #voices: OscillatorNode[] = [];
  readonly #blocked: () => void;

  /** `blocked` is called when a tone should be heard but the browser wants a click first. */
  constructor(blocked: () => void) {
    this.#blocked = blocked;
  }

  /** Lets tones be heard from now on; to be called while a click or a key press is handled. */
  async unlock(): Promise<void> {
    this.#context ??= new AudioContext();
    await this.#context.resume();
  }

  /** Repeats `tone` until another one or `stop`. */
  play(tone: Tone): void {
    if (this.#tone === tone) {
      return;
    }
    this.stop();
    this.#tone = tone;
    this.#context ??= new AudioContext();
    // Resolves soon where a click has been seen, and only after the next click elsewhere.
    void this.#context.resume();
    this.#period(tone, 0);
  }

  /** Silence. */
  stop(): void {
    this.#tone = undefined;
    clearTimeout(this.#timer);
    for (const voice of this.#voices.splice(0)) {
      voice.stop();
    }
  }

  /** The short tone after a call. */
  end(): void {
    this.stop();
    if (this.#context?.state === 'running') {
      this.#sound(this.#context, endNotes);
    }
  }

  #period(tone: Tone, tries: number): void {
    const context = this.#context;
    const running = context?.state === 'running';
    if (running) {
      this.#sound(context, tone === 'ring' ? ringNotes : ringbackNotes);
    } else if (tries === 1) {
      this.#blocked();
    }
    if (tone === 'ring') {
      // Phones in a pocket: where there is a motor, it helps.
      navigator.vibrate?.([300, 150, 300]);
    }
    this.#timer = window.setTimeout(() => this.#period(tone, tries + 1), running ? PERIODS[tone] * 1_000 : RETRY);
  }

  #sound(context: AudioContext, notes: Note[]): void {
    const start = context.currentTime + 0.02;
    for (const note of notes) {
      const voice = new OscillatorNode(context, { frequency: note.frequency, type: note.struck ? 'triangle' : 'sine' });
      const level = new GainNode(context, { gain: 0 });
      const from = start + note.at;
      const to = from + note.length;
      level.gain.setValueAtTime(0, from);
      level.gain.linearRampToValueAtTime(note.gain, from + 0.015);
      if (note.struck) {
        level.gain.exponentialRampToValueAtTime(0.0005, to);
      } else {
        level.gain.setValueAtTime(note.gain, to - 0.03);
        level.gain.linearRampToValueAtTime(0, to);
      }
      voice.connect(level).connect(context.destination);
      voice.onended = () => {
        this.#voices = this.#voices.filter((other) => other !== voice);
        level.disconnect();
      };
      voice.start(from);
      voice.stop(to + 0.02);
      this.#voices.push(voice);
    }
  }
}
