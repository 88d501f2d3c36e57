/** How the peer is heard: the application's audio element, and the hold tone. */

import type { PlaybackBlockedParams } from '../params.js';
import { HoldTone } from './tone.js';

/** Plays the peer. */
export class Playback {
  readonly #element: HTMLAudioElement;
  readonly #blocked: (event: PlaybackBlockedParams) => void;
  readonly #tone: HoldTone | undefined;
  readonly #wasMuted: boolean;
  #silenced = false;
  #held = false;

  /**
   * @param element of the application
   * @param tone for a peer that holds the call, if one is wanted
   * @param blocked the browser plays nothing before the user has touched the page
   */
  constructor(element: HTMLAudioElement, tone: HoldTone | undefined, blocked: (event: PlaybackBlockedParams) => void) {
    this.#element = element;
    this.#wasMuted = element.muted;
    this.#tone = tone;
    this.#blocked = blocked;
  }

  /** Plays this track from now on. */
  attach(track: MediaStreamTrack): void {
    this.#element.srcObject = new MediaStream([track]);
    this.#apply();
    this.#play();
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

  /**
   * Where the peer is heard.
   *
   * @throws what `setSinkId` throws, or a NotSupportedError
   */
  async choose(deviceId: string): Promise<void> {
    if (!this.#element.setSinkId) {
      throw new DOMException('this browser plays on the device that the system chose', 'NotSupportedError');
    }
    await this.#element.setSinkId(deviceId);
    if (this.#tone) {
      this.#tone.sink = deviceId;
    }
  }

  /** The peer holds the call. */
  set peerHolds(holds: boolean) {
    this.#tone?.play(holds);
  }

  /** Stops, and gives the element back. */
  close(): void {
    this.#tone?.close();
    this.#element.muted = this.#wasMuted;
    this.#element.srcObject = null;
  }

  #apply(): void {
    this.#element.muted = this.#silenced || this.#held;
    if (this.#tone) {
      this.#tone.allowed = !this.#element.muted;
    }
  }

  #play(): void {
    this.#element.play().catch((error: unknown) => {
      // Another `srcObject` interrupts as well; only the browser's policy is the user's business.
      if (error instanceof Error && error.name === 'NotAllowedError') {
        this.#blocked({
          resume: async () => {
            await Promise.all([this.#element.play(), this.#tone?.resume()]);
          },
        });
      }
    });
  }
}
