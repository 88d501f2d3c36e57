/** The telephone of the page: at most one call at a time, and what a person can do with it. */
import type { CallDelegate, Statistics } from '../src/index.ts';
import { type CallAction, type CallPush, type Push, closeCallNotification } from '../src/push.ts';
import { SERVICE, accessToken } from './app-server.ts';
import { type End, callEvents } from './call-events.ts';
import { type Active, type CallState, type Phase, freshCall } from './call-state.ts';
import { Emitter } from './emitter.ts';
import { outcomeOf } from './outcome.ts';
import { type Problem, problemOf } from './problem.ts';
import { addCall, rememberedDevice } from './store.ts';
import { type Key, clock, translate } from './strings.ts';
import { Tones } from './tones.ts';

/** A sentence about the last call. */
export interface Notice {
  key: Key;
  values: Record<string, string>;
}

/** Calls that wait while another one is going on. */
const WAITING = 8;

/** The telephone of one user. */
export class Phone extends Emitter {
  #user: string | undefined;
  #call: Active | undefined;
  #problem: Problem | undefined;
  /** The problem that the next click anywhere solves. */
  #tonesBlocked: Problem | undefined;
  #notice: Notice | undefined;
  readonly #waiting = new Map<string, CallPush>();
  readonly #audio: HTMLAudioElement;
  readonly #tones: Tones;
  readonly #announce: (text: string, urgent: boolean) => void;

  /** `audio` plays the other side; `announce` says to everybody, also to a screen reader, what has happened. */
  constructor(audio: HTMLAudioElement, announce: (text: string, urgent: boolean) => void) {
    super();
    this.#audio = audio;
    this.#announce = announce;
    this.#tones = new Tones(() => {
      this.#soundBlocked(() => this.#tones.unlock());
      this.#tonesBlocked = this.#problem;
    });
  }

  /** The call, if there is one. */
  get call(): Readonly<CallState> | undefined {
    return this.#call;
  }

  /** What is wrong, if anything is. */
  get problem(): Problem | undefined {
    return this.#problem;
  }

  /** How the last call ended, until the next one begins. */
  get notice(): Notice | undefined {
    return this.#notice;
  }

  /** Milliseconds since the call connected; -1 before. */
  get duration(): number {
    return this.#call?.api.getCallDuration() ?? -1;
  }

  /** Lets ring tones be heard; to be called while a click or a key press is handled. */
  async unlockSound(): Promise<void> {
    await this.#tones.unlock();
    if (this.#problem !== undefined && this.#problem === this.#tonesBlocked) {
      this.dismiss();
    }
  }

  /** Changes who this telephone belongs to; a call ends. */
  signIn(user: string | undefined): void {
    this.hangUp();
    this.#user = user;
    this.#waiting.clear();
    this.#problem = undefined;
    this.#notice = undefined;
    this.changed();
  }

  /** Calls `peer`. */
  async dial(peer: string): Promise<void> {
    const me = this.#user;
    if (me === undefined || this.#call !== undefined) {
      return;
    }
    const call = this.#begin('out', peer);
    try {
      const token = await accessToken(me);
      if (call.ending) {
        return;
      }
      await call.api.makeCall({
        myId: me,
        myServiceId: SERVICE,
        peerId: peer,
        peerServiceId: SERVICE,
        accessToken: token,
        ...this.#common(),
        delegate: { ...this.#events(call), evtWaitConnected: () => this.#advance(call, 'ringing') },
      });
      call.started = true;
      if (call.phase === 'starting') {
        this.#advance(call, 'trying');
      }
    } catch (error) {
      this.#failed(call, { ...problemOf(error), action: { label: 'tryAgain', run: () => void this.dial(peer) } });
    }
  }

  /** Takes what the app server pushed. */
  handlePush(push: Push): void {
    if (push.type === 'cancel') {
      const missed = this.#waiting.get(push.sid);
      if (missed !== undefined) {
        this.#waiting.delete(push.sid);
        this.#missed(missed);
      } else if (this.#call?.sid === push.sid && !this.#call.started) {
        // The SDK hears of the end itself, but not while the browser still asks for the microphone.
        this.#call.ending = true;
        this.#finish(this.#call, { strCode: 'CANCEL', byRemote: true });
      }
    } else if (this.#call !== undefined) {
      if (this.#waiting.size < WAITING) {
        this.#waiting.set(push.sid, push);
      }
    } else {
      void this.#ring(push);
    }
  }

  async #ring(push: CallPush): Promise<void> {
    const call = this.#begin('in', push.app_caller_uid, push.sid);
    this.#announce(translate('incomingFrom', { name: call.peer }), true);
    this.#tones.play('ring');
    try {
      await call.api.verifyCall({
        myId: push.app_callee_uid,
        myServiceId: push.app_callee_sid,
        ccParam: push.cc_param,
        ...this.#common(),
        delegate: { ...this.#events(call), evtVerified: () => this.#verified(call) },
      });
      call.started = true;
      if (call.ending) {
        await call.api.endCall();
      }
    } catch (error) {
      // Only while it still rings can trying again help; the push says when it stops.
      if (call !== this.#call) {
        return;
      }
      this.#waiting.set(push.sid, push);
      const again = (): void => {
        this.#waiting.delete(push.sid);
        void this.#ring(push);
      };
      this.#failed(call, { ...problemOf(error), caller: call.peer, action: { label: 'tryAgain', run: again } });
    }
  }

  /** Answers. */
  answer(): void {
    const call = this.#call;
    if (call?.phase !== 'incoming') {
      return;
    }
    this.#tones.stop();
    this.#silenceNotification(call);
    call.answered = true;
    this.#advance(call, 'answering');
    if (call.verified) {
      this.#accept(call);
    }
  }

  /** Does what the user chose in a notification, if that call still rings. */
  act(sid: string, action: CallAction): void {
    if (this.#call?.sid === sid && this.#call.phase === 'incoming') {
      if (action === 'answer') {
        this.answer();
      } else if (action === 'decline') {
        this.hangUp();
      }
    }
  }

  /** Declines, cancels or hangs up, whichever it is at this moment. */
  hangUp(): void {
    const call = this.#call;
    if (call === undefined) {
      return;
    }
    if (call.started) {
      void call.api.endCall().catch((error: unknown) => this.#failed(call, problemOf(error)));
      return;
    }
    // The browser may still ask for the microphone, and nobody should have to wait for that answer.
    call.ending = true;
    if (call.direction === 'out') {
      call.api.endCall().catch(() => undefined);
    }
    this.#finish(call, { strCode: call.direction === 'out' ? 'CANCEL' : 'DECLINE', byRemote: false });
  }

  /** Mutes the microphone, or opens it. */
  async mute(muted: boolean): Promise<void> {
    const call = this.#call;
    if (call?.phase === 'connected') {
      await call.api.muteMyAudio(muted);
      call.muted = muted;
      this.#tell(muted ? 'youMuted' : 'youUnmuted', call);
    }
  }

  /** Puts the call on hold, with a reason that the other side sees. */
  async hold(reason: string): Promise<void> {
    const call = this.#call;
    if (call?.phase === 'connected') {
      await call.api.hold(reason.trim() || undefined);
      call.held = true;
      this.#tell('youHold', call);
    }
  }

  /** Takes the call off hold. */
  async resume(): Promise<void> {
    const call = this.#call;
    if (call?.phase === 'connected') {
      await call.api.unhold();
      call.held = false;
      this.#tell('holdOver', call);
    }
  }

  /** Uses the device from now on, in this call too. */
  async useDevice(kind: 'microphone' | 'speaker', id: string): Promise<void> {
    const call = this.#call;
    try {
      if (kind === 'microphone') {
        await call?.api.setAudioInput(id);
      } else {
        await call?.api.setAudioOutput(id);
      }
    } catch (error) {
      this.#fault(problemOf(error));
    }
  }

  /** What is measured, or `undefined` while nothing is. */
  async statistics(): Promise<Statistics | undefined> {
    const call = this.#call;
    return call?.phase === 'connected' ? call.api.getCurrentStats().catch(() => undefined) : undefined;
  }

  /** Takes the problem off the page. */
  dismiss(): void {
    this.#problem = undefined;
    this.changed();
  }

  #begin(direction: 'in' | 'out', peer: string, sid?: string): Active {
    const call = freshCall(direction, peer, sid);
    this.#call = call;
    this.#problem = undefined;
    this.#notice = undefined;
    this.changed();
    return call;
  }

  /** The parameters that both kinds of call share. */
  #common() {
    const deviceId = rememberedDevice('microphone');
    return {
      mediaType: 'audio' as const,
      mediaHtmlElement: { peer: { audio: this.#audio } },
      audioDescriptionInterval: 200,
      audioInput: deviceId === '' ? undefined : { deviceId },
    };
  }

  #events(call: Active): CallDelegate {
    return callEvents(call, {
      changed: () => this.changed(),
      tell: (key, values) => this.#tell(key, call, values),
      connected: () => this.#connected(call),
      finished: (end) => this.#finish(call, end),
      soundBlocked: (resume) => this.#soundBlocked(resume),
      fault: (problem) => this.#fault(problem),
    });
  }

  #verified(call: Active): void {
    call.verified = true;
    if (call.answered) {
      this.#accept(call);
    }
  }

  #accept(call: Active): void {
    call.api.acceptCall().catch((error: unknown) => this.#failed(call, problemOf(error)));
  }

  #connected(call: Active): void {
    this.#tones.stop();
    this.#advance(call, 'connected');
    this.#announce(translate('inCallWith', { name: call.peer }), true);
    const speaker = rememberedDevice('speaker');
    if (speaker) {
      void this.useDevice('speaker', speaker);
    }
  }

  #advance(call: Active, phase: Phase): void {
    if (call !== this.#call) {
      return;
    }
    call.phase = phase;
    if (phase === 'ringing') {
      this.#tones.play('ringback');
      this.#announce(translate('callRinging'), false);
    }
    this.changed();
  }

  #tell(key: Key, call: Active, values: Record<string, string> = {}): void {
    this.changed();
    this.#announce(translate(key, { name: call.peer, ...values }), false);
  }

  #finish(call: Active, end: End): void {
    if (call !== this.#call || this.#user === undefined) {
      return;
    }
    const connected = call.phase === 'connected';
    const seconds = Math.max(0, Math.round(call.api.getCallDuration() / 1_000));
    const { result, sentence } = outcomeOf({ direction: call.direction, connected, ...end });
    addCall(this.#user, { peer: call.peer, direction: call.direction, result, at: call.at, seconds });
    this.#tones.end();
    this.#silenceNotification(call);
    this.#call = undefined;
    this.#problem = undefined;
    this.#say({ key: sentence, values: { name: call.peer, duration: clock(seconds), code: end.strCode } });
    this.#next();
  }

  #silenceNotification(call: Active): void {
    if (call.sid !== undefined) {
      void closeCallNotification(call.sid);
    }
  }

  #failed(call: Active, problem: Problem): void {
    if (call === this.#call) {
      this.#tones.stop();
      this.#call = undefined;
      this.#fault(problem);
    }
  }

  #say(notice: Notice): void {
    this.#notice = notice;
    this.changed();
    this.#announce(translate(notice.key, notice.values), false);
  }

  /** Rings for the call that has waited longest. */
  #next(): void {
    const [push] = this.#waiting.values();
    if (push !== undefined) {
      this.#waiting.delete(push.sid);
      void this.#ring(push);
    }
  }

  #missed(push: CallPush): void {
    const peer = push.app_caller_uid;
    if (this.#user !== undefined) {
      addCall(this.#user, { peer, direction: 'in', result: 'missed', at: Date.now(), seconds: 0 });
    }
    if (this.#problem?.caller === peer) {
      this.#problem = undefined;
    }
    this.#say({ key: 'endedMissed', values: { name: peer } });
  }

  #soundBlocked(resume: () => Promise<void>): void {
    const run = (): void => {
      this.dismiss();
      void resume().catch(() => this.#soundBlocked(resume));
    };
    this.#fault({ title: 'problemAutoplay', advice: 'adviceAutoplay', action: { label: 'playSound', run } });
  }

  #fault(problem: Problem): void {
    this.#problem = problem;
    this.changed();
    this.#announce(translate(problem.title), true);
  }
}
