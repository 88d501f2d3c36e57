/** The call of the documented API. */

import { checkStart, identity, type AnyParams } from './checks.js';
import { CallError } from './errors.js';
import { Microphone } from './media/microphone.js';
import { Playback } from './media/playback.js';
import { Sound } from './media/sound.js';
import type { Statistics } from './media/statistics.js';
import type { CallOptions, MakeCallParams, VerifyCallParams } from './params.js';
import { Running } from './running.js';
import type { Delegate, Tell } from './tell.js';
import { checkMakeCall, checkVerifyCall, refuse, text } from './signaling/check.js';
import { CALL_START_MESSAGE, RELEASE_PHRASE } from './signaling/limits.js';
import { CommandError } from './signaling/machine.js';
import { KIT_DISCONNECT_REASON, START_FAIL_REASON, lowerCase } from './signaling/reasons.js';
import type { CallState } from './signaling/types.js';

/** The documented states of a call. */
export const CALL_STATE = lowerCase<{
  /** Not started. */
  readonly IDLE: 'idle';
  /** Started. */
  readonly TRYING: 'trying';
  /** Caller: the callee is being alerted. */
  readonly WAIT_ANSWER: 'wait_answer';
  /** Callee: confirmed, and can be accepted. */
  readonly VERIFIED: 'verified';
  /** Accepted, and the media path is up. */
  readonly CONNECTED: 'connected';
  /** Over. */
  readonly DISCONNECTED: 'disconnected';
}>('IDLE TRYING WAIT_ANSWER VERIFIED CONNECTED DISCONNECTED');

/** Users of this page that are in a call: each can have one. */
const unfinished = new Set<string>();

/**
 * One call: made with {@link makeCall} or answered with {@link verifyCall} and {@link acceptCall}.
 *
 * An object serves for one call. While it lasts, another start is rejected with ALREADY_EXIST; after it, with REUSE. A start
 * that was rejected may be tried again.
 */
export class Call {
  readonly #options: CallOptions;
  #running: Running | undefined;
  #microphone: Microphone | undefined;
  #playback: Playback | undefined;
  #started: Promise<void> | undefined;
  #over = false;
  #abandoned = false;

  /** @param options settings; none is needed on a page of the call server's own origin */
  constructor(options: CallOptions = {}) {
    this.#options = options;
  }

  /** Where the call is: one of `CALL_STATE`. */
  get state(): CallState {
    return this.#running?.machine.state ?? (this.#started ? 'trying' : 'idle');
  }

  /** The call's id, once the server gave it. */
  get sid(): string | undefined {
    return this.#running?.machine.sid;
  }

  /** Ms since the call connected, or that it was connected; -1 when it never was. */
  getCallDuration(): number {
    return Math.round(this.#running?.duration ?? -1);
  }

  /**
   * Calls somebody. Resolves when the parameters are good and the microphone is open; whatever the server, the network or the
   * callee say comes as an event, never before that.
   *
   * @throws CallError with one of `START_FAIL_REASON`
   */
  makeCall(params: MakeCallParams): Promise<void> {
    return this.#start(params ?? {}, checkMakeCall);
  }

  /**
   * Asks the server about the call of a push. Resolves when the parameters are good and the microphone is open; `evtVerified`
   * follows when the call is real.
   *
   * @throws CallError with one of `START_FAIL_REASON`
   */
  verifyCall(params: VerifyCallParams): Promise<void> {
    return this.#start(params ?? {}, checkVerifyCall);
  }

  /**
   * Answers, after `evtVerified`.
   *
   * @param options a text for the caller of at most 199 bytes of UTF-8; or the documented switch for cloud recording, which
   * this server does not offer
   * @throws CallError
   */
  async acceptCall(options: boolean | { callStartMessage?: string | undefined } = false): Promise<void> {
    refuse(options === true, START_FAIL_REASON.NOT_SUPPORTED, 'leave recordOnCloud out');
    const message = (options as { callStartMessage?: string } | null)?.callStartMessage || null;
    text('callStartMessage', message, CALL_START_MESSAGE);
    this.#command(({ machine }, now) => machine.accept(message, now));
  }

  /**
   * Ends the call: NORMAL when it was accepted; before that CANCEL by the caller, DECLINE by the callee. While the microphone
   * is still being opened it withdraws the start.
   *
   * @param userReleasePhrase for the other side's application and the app server, at most 127 bytes of UTF-8
   * @throws CallError
   */
  async endCall(userReleasePhrase?: string): Promise<void> {
    this.#end(null, userReleasePhrase ?? null);
  }

  /**
   * Ends the call with USER_ERROR: a fault that the application defines by the phrase, at most 127 bytes of UTF-8.
   *
   * @throws CallError
   */
  async endCallWithError(userReleasePhrase: string): Promise<void> {
    this.#end(KIT_DISCONNECT_REASON.USER_ERROR, userReleasePhrase);
  }

  /**
   * Switches the own microphone off or on. The peer is told.
   *
   * @throws CallError when there is no call
   */
  async muteMyAudio(isMute: boolean): Promise<void> {
    this.#command((running) => running.mute(isMute));
  }

  /**
   * Puts the call on hold: neither side is heard, and the peer hears a tone.
   *
   * @param reason for the peer; of a longer one the first 256 bytes of UTF-8 are sent
   * @throws CallError unless the call is connected
   */
  async hold(reason?: string): Promise<void> {
    this.#command((running) => running.hold(true, reason ?? null));
  }

  /**
   * Takes the call up again.
   *
   * @throws CallError unless the call is connected
   */
  async unhold(): Promise<void> {
    this.#command((running) => running.hold(false, null));
  }

  /** Silences the peer here, without telling it. */
  silencePeerAudio(silent: boolean): void {
    if (this.#playback) {
      this.#playback.silenced = silent;
    }
  }

  /**
   * What is measured: a subset of W3C webrtc-stats. After the call, the last that was taken.
   *
   * @throws CallError when no call was started
   */
  async getCurrentStats(): Promise<Statistics> {
    return this.#call().monitor.snapshot();
  }

  /**
   * Takes another microphone, also during the call.
   *
   * @param deviceId as `devices()` lists it
   * @throws CallError; the present microphone stays
   */
  async setAudioInput(deviceId: string): Promise<void> {
    this.#call();
    await this.#microphone?.choose(deviceId);
  }

  /**
   * Plays the peer on another device.
   *
   * @param deviceId as `devices()` lists it; `''` is the system's choice
   * @throws CallError; NOT_SUPPORTED where the browser leaves the choice to the system
   */
  async setAudioOutput(deviceId: string): Promise<void> {
    this.#call();
    try {
      await this.#playback?.choose(deviceId);
    } catch (error) {
      // Where there is no `setSinkId`, calling it is a TypeError.
      const reason = error instanceof TypeError ? START_FAIL_REASON.NOT_SUPPORTED : START_FAIL_REASON.AUDIO_OUTPUT_DEVICE_FAIL;
      throw new CallError(reason, `no loudspeaker: ${String(error)}`, error);
    }
  }

  #start(params: AnyParams, check: (params: AnyParams) => void): Promise<void> {
    try {
      refuse(this.#over, START_FAIL_REASON.REUSE, 'the call is over');
      refuse(this.#started, START_FAIL_REASON.ALREADY_EXIST, 'the call lasts');
      check(params);
      checkStart(params, this.#options.deviceKey);
      refuse(unfinished.has(identity(params)), START_FAIL_REASON.ALREADY_EXIST, 'myId has another call');
    } catch (error) {
      return Promise.reject(error);
    }
    const who = identity(params);
    unfinished.add(who);
    this.#abandoned = false;
    const delegate: Delegate = params.delegate ?? {};
    // Reactions to one promise run in their order: the application's own to the start comes first.
    const tell: Tell = (name, ...param) => {
      if (!this.#over) {
        void started.then(() => report(() => (delegate[name] as Handler | undefined)?.(...param)));
      }
    };
    const whenEnded = (): void => {
      this.#over = true;
      unfinished.delete(who);
    };
    const started = this.#prepare(params, tell, whenEnded);
    this.#started = started;
    started.then(
      () => this.#running?.begin(),
      () => {
        unfinished.delete(who);
        this.#started = undefined;
      },
    );
    return started;
  }

  /** Opens everything that can be opened without the server. */
  async #prepare(params: AnyParams, tell: Tell, whenEnded: () => void): Promise<void> {
    const algorithm = { name: 'ECDSA', namedCurve: 'P-256' } as AlgorithmIdentifier;
    const generated = RTCPeerConnection.generateCertificate(algorithm);
    generated.catch(() => undefined);
    const microphone = await Microphone.open(params.audioInput, () => this.#running?.trackChanged(), tell);
    const sound = new Sound();
    const playback = new Playback(params.mediaHtmlElement.peer.audio, sound, tell);
    let running: Running | undefined;
    try {
      const certificate = await generated;
      running = new Running({ options: this.#options, params, certificate, microphone, playback, sound, tell, whenEnded });
      await running.prepare();
      if (this.#abandoned) {
        throw new Error('ended by endCall()');
      }
      this.#running = running;
      this.#microphone = microphone;
      this.#playback = playback;
    } catch (error) {
      running?.discard();
      microphone.close();
      playback.close();
      throw new CallError(START_FAIL_REASON.INTERNAL, error instanceof Error ? error.message : String(error), error);
    }
  }

  #end(reason: typeof KIT_DISCONNECT_REASON.USER_ERROR | null, phrase: string | null): void {
    text('userReleasePhrase', phrase, RELEASE_PHRASE);
    if (this.#started && !this.#running) {
      this.#abandoned = true;
    } else {
      this.#command(({ machine }, now) => machine.end(reason, phrase, now));
    }
  }

  #call(): Running {
    refuse(!this.#running, START_FAIL_REASON.INVALID_STATE, 'no call');
    return this.#running as Running;
  }

  #command(command: (running: Running, now: number) => void): void {
    const running = this.#call();
    try {
      running.do((now) => command(running, now));
    } catch (error) {
      throw error instanceof CommandError
        ? new CallError(START_FAIL_REASON.INVALID_STATE, error.message)
        : error;
    }
  }
}

type Handler = (...param: unknown[]) => void;

/** Runs a handler of the application: what it throws is the page's to know, and no reason to stop. */
function report(handler: () => void): void {
  try {
    handler();
  } catch (error) {
    reportError(error);
  }
}
