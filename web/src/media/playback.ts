/** How the peer is heard: the application's audio element, and the hold tone. */

import type { Tell } from '../tell.js';
import type { Sound } from './sound.js';

/** Plays the peer. */
export class Playback {
  readonly #element: HTMLAudioElement;
  readonly #sound: Sound;
  readonly #tell: Tell;
  readonly #wasMuted: boolean;
  #silenced = false;
  #held = false;
  #tone = false;
  #closed = false;

  /**
   * @param element of the application
   * @param sound for the hold tone
   * @param tell for a browser that plays nothing before the user has touched the page
   */
  constructor(element: HTMLAudioElement, sound: Sound, tell: Tell) {
    this.#element = element;
    this.#wasMuted = element.muted;
    this.#sound = sound;
    this.#tell = tell;
  }

  /** Plays this track from now on. */
  attach(track: MediaStreamTrack): void {
    this.#element.srcObject = new MediaStream([track]);
    this.#apply();
    this.#element.play().catch((error: unknown) => {
      // Another `srcObject` interrupts as well; only the browser's policy is the user's business.
      if (error instanceof Error && error.name === 'NotAllowedError') {
        this.#tell('evtPlaybackBlocked', {
          resume: async () => {
            await Promise.all([this.#element.play(), this.#sound.resume()]);
          },
        });
      }
    });
  }

  /** The application does not want to hear the peer. */
  set silenced(silenced: boolean) {
    this.#silenced = silenced;
    this.#apply();
  }

  /** This side holds the call: it hears nothing. */
  set held(held: boolean) {
    this.#held = held;
    this.#apply();
  }

  /** The peer holds the call, and a tone says so. */
  set tone(tone: boolean) {
    this.#tone = tone;
    this.#apply();
  }

  /**
   * Where the peer is heard.
   *
   * @throws what `setSinkId` throws; a TypeError where there is none
   */
  async choose(deviceId: string): Promise<void> {
    await this.#element.setSinkId(deviceId);
    await this.#sound.choose(deviceId);
  }

  /** Stops, and gives the element back. */
  close(): void {
    this.#closed = true;
    this.#sound.close();
    this.#element.muted = this.#wasMuted;
    this.#element.srcObject = null;
  }

  #apply(): void {
    if (this.#closed) {
      return;
    }
    const muted = this.#silenced || this.#held;
    this.#element.muted = muted;
    this.#sound.beeping = this.#tone && !muted;
  }
}
