/** The microphone of a call: opened before anything is sent, watched while the call lasts. */

import { microphoneError } from '../errors.js';
import { refuse } from '../signaling/check.js';
import { START_FAIL_REASON } from '../signaling/reasons.js';
import type { Tell } from '../tell.js';

/** Where the own audio comes from: a device, a stream of the application, or the browser's choice. */
export type AudioInput = { deviceId: string } | MediaStream | undefined;

/** The one audio track that is sent. */
export class Microphone {
  readonly #changed: (track: MediaStreamTrack) => void;
  readonly #tell: Tell;
  #stream: MediaStream;
  #own: boolean;
  #muted = false;
  #closed = false;

  private constructor(
    stream: MediaStream,
    own: boolean,
    changed: (track: MediaStreamTrack) => void,
    tell: Tell,
  ) {
    this.#stream = stream;
    this.#own = own;
    this.#changed = changed;
    this.#tell = tell;
    this.#watch();
  }

  /**
   * Opens it.
   *
   * @param input where the audio comes from
   * @param changed another track is to be sent from now on
   * @param tell something happened to the device
   * @throws CallError
   */
  static async open(
    input: AudioInput,
    changed: (track: MediaStreamTrack) => void,
    tell: Tell,
  ): Promise<Microphone> {
    const given = input && 'getAudioTracks' in input;
    return new Microphone(given ? input : await capture(input?.deviceId), !given, changed, tell);
  }

  /** The track that is sent. */
  get track(): MediaStreamTrack {
    // A stream without audio is refused before it gets here.
    return this.#stream.getAudioTracks()[0] as MediaStreamTrack;
  }

  /** Silence (`true`) or sound. */
  set muted(muted: boolean) {
    this.#muted = muted;
    this.track.enabled = !muted;
  }

  /**
   * Takes another microphone.
   *
   * @throws CallError when it cannot be opened; the present one stays
   */
  async choose(deviceId: string | undefined): Promise<void> {
    const isOver = (): void => refuse(this.#closed, START_FAIL_REASON.INVALID_STATE, 'the call is over');
    isOver();
    const stream = await capture(deviceId);
    if (this.#closed) {
      stop(stream);
    }
    isOver();
    this.#release();
    this.#stream = stream;
    this.#own = true;
    this.muted = this.#muted;
    this.#watch();
    this.#changed(this.track);
  }

  /** Lets the device go. A stream of the application stays open. */
  close(): void {
    this.#closed = true;
    this.#release();
  }

  #release(): void {
    this.track.onended = null;
    if (this.#own) {
      stop(this.#stream);
    } else {
      this.track.enabled = true;
    }
  }

  #watch(): void {
    // `ended` comes when the device is unplugged or its permission is taken back, not when this side stops it.
    this.track.onended = () => void this.#replace();
  }

  /** The device is gone: any other one is better than silence. */
  async #replace(): Promise<void> {
    this.#tell('evtAudioDevice', { kind: 'lost', advice: 'plug one in' });
    if (!this.#own) {
      // The application chose what is heard; nobody else may open a microphone for it.
      return;
    }
    try {
      await this.choose(undefined);
      this.#tell('evtAudioDevice', { kind: 'changed', label: this.track.label, advice: 'tell the user' });
    } catch {
      // There is none. The call goes on, and the application was told what helps.
    }
  }
}

async function capture(deviceId: string | undefined): Promise<MediaStream> {
  const audio: MediaTrackConstraints = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };
  // `''` is what lists of devices have for the system's choice.
  if (deviceId) {
    audio.deviceId = { exact: deviceId };
  }
  try {
    return await navigator.mediaDevices.getUserMedia({ audio });
  } catch (error) {
    throw microphoneError(error);
  }
}

function stop(stream: MediaStream): void {
  stream.getTracks().forEach((track) => track.stop());
}
