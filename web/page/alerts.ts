/** What a person should notice: problems, how the last call ended, and tones; each also for those who do not see the page. */
import { Emitter } from './emitter.ts';
import type { Problem } from './problem.ts';
import { type Key, translate } from './strings.ts';
import { type Tone, Tones } from './tones.ts';

/** A sentence about the last call. */
export interface Notice {
  key: Key;
  values: Record<string, string>;
}

/** Says a text; an urgent one interrupts what a screen reader is reading. */
export type Announce = (text: string, urgent: boolean) => void;

/** At most one problem and one notice at a time. */
export class Alerts extends Emitter {
  #problem: Problem | undefined;
  #notice: Notice | undefined;
  /** The problem that the next click anywhere solves. */
  #tonesBlocked: Problem | undefined;
  readonly #announce: Announce;
  readonly #tones = new Tones(() => {
    this.soundBlocked(() => this.#tones.unlock());
    this.#tonesBlocked = this.#problem;
  });

  constructor(announce: Announce) {
    super();
    this.#announce = announce;
  }

  /** What is wrong, if anything is. */
  get problem(): Problem | undefined {
    return this.#problem;
  }

  /** How the last call ended, until the next one begins. */
  get notice(): Notice | undefined {
    return this.#notice;
  }

  /** Announces a text that stands somewhere on the page too. */
  tell(key: Key, values: Record<string, string> = {}, urgent = false): void {
    this.#announce(translate(key, values), urgent);
  }

  /** Shows a sentence until the next call. */
  say(notice: Notice): void {
    this.#notice = notice;
    this.changed();
    this.tell(notice.key, notice.values);
  }

  /** Shows a problem until it is dismissed or another call begins. */
  fault(problem: Problem): void {
    this.#problem = problem;
    this.changed();
    this.tell(problem.title, {}, true);
  }

  /** The browser plays nothing before a click; `resume` plays then. */
  soundBlocked(resume: () => Promise<void>): void {
    const run = (): void => {
      this.dismiss();
      void resume().catch(() => this.soundBlocked(resume));
    };
    this.fault({ title: 'problemAutoplay', advice: 'adviceAutoplay', action: { label: 'playSound', run } });
  }

  /** Takes the problem off the page. */
  dismiss(): void {
    this.#problem = undefined;
    this.changed();
  }

  /** Forgets problem and notice. */
  clear(): void {
    this.#problem = undefined;
    this.#notice = undefined;
    this.changed();
  }

  /** Repeats a tone. */
  play(tone: Tone): void {
    this.#tones.play(tone);
  }

  /** Ends the tone; after a call with a short one. */
  quiet(afterCall = false): void {
    if (afterCall) {
      this.#tones.end();
    } else {
      this.#tones.stop();
    }
  }

  /** Lets tones be heard; to be called while a click or a key press is handled. */
  async unlockSound(): Promise<void> {
    await this.#tones.unlock();
    if (this.#problem !== undefined && this.#problem === this.#tonesBlocked) {
      this.dismiss();
    }
  }
}
