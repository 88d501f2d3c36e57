/** The microphone of a call: opened before anything is sent, watched while the call lasts. */

import { CALL_FAIL_REASON, CallError, microphoneFailure } from '../errors.js';
import type { AudioDeviceParams } from '../params.js';

/** Where the own audio comes from: a device, a stream of the application, or the browser's choice. */
export type AudioInput = { deviceId: string } | MediaStream | undefined;

/** The one audio track that is sent. */
export class Microphone {
  readonly #changed: (track: MediaStreamTrack) => void;
  readonly #tell: (event: AudioDeviceParams) => void;
  #stream: MediaStream;
  #own: boolean;
  #muted = false;
  #closed = false;
  readonly #onDevices = (): void => {
    this.#tell({ kind: 'changed', label: this.track.label, advice: 'offer the choice of devices again: devices() lists them' });
  };

  private constructor(
    stream: MediaStream,
    own: boolean,
    changed: (track: MediaStreamTrack) => void,
    tell: (event: AudioDeviceParams) => void,
  ) {
    this.#stream = stream;
    this.#own = own;
    this.#changed = changed;
    this.#tell = tell;
    this.#watch();
    navigator.mediaDevices?.addEventListener?.('devicechange', this.#onDevices);
  }

  /**
   * Opens it.
   *
   * @param input where the audio comes from
   * @param changed another track is to be sent from now on
   * @param tell something happened to the device
   * @throws what `getUserMedia` throws, or a TypeError when a stream of the application has no audio
   */
  static async open(
    input: AudioInput,
    changed: (track: MediaStreamTrack) => void,
    tell: (event: AudioDeviceParams) => void,
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
    let stream: MediaStream;
    try {
      stream = await capture(deviceId);
    } catch (error) {
      const { reason, message } = microphoneFailure(error);
      throw new CallError(reason, message, { cause: error });
    }
    if (this.#closed) {
      stop(stream);
      throw new CallError(CALL_FAIL_REASON.INVALID_STATE, 'the call ended while the microphone was opened');
    }
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
    navigator.mediaDevices?.removeEventListener?.('devicechange', this.#onDevices);
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
    this.#tell({ kind: 'lost', advice: 'the microphone is gone: plug it in again or choose another one with setAudioInput()' });
    try {
      await this.choose(undefined);
      this.#tell({ kind: 'replaced', label: this.track.label, advice: 'another microphone is used now: say so' });
    } catch {
      // There is none. The call goes on, and the application was told what helps.
    }
  }
}

function capture(deviceId: string | undefined): Promise<MediaStream> {
  const processing = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };
  return navigator.mediaDevices.getUserMedia({
    audio: { ...processing, ...(deviceId !== undefined && { deviceId: { exact: deviceId } }) },
  });
}

function stop(stream: MediaStream): void {
  stream.getTracks().forEach((track) => track.stop());
}
