/** The telephone of the page: at most one call at a time, and what a person can do with it. */
import type { CallDelegate, Statistics } from '../src/index.ts';
import { type CallAction, type CallPush, type Push, closeCallNotification } from '../src/push.ts';
import type { Alerts } from './alerts.ts';
import { SERVICE, accessToken } from './app-server.ts';
import { type End, callEvents } from './call-events.ts';
import { type Active, type CallState, type Phase, freshCall } from './call-state.ts';
import { Emitter } from './emitter.ts';
import { outcomeOf } from './outcome.ts';
import { type Problem, problemOf } from './problem.ts';
import { addCall, rememberedDevice } from './store.ts';
import { type Key, clock } from './strings.ts';

/** Calls that wait while another one is going on. */
const WAITING = 8;

/** The telephone of one user. */
export class Phone extends Emitter {
  #user: string | undefined;
  #call: Active | undefined;
  readonly #waiting = new Map<string, CallPush>();
  readonly #audio: HTMLAudioElement;
  readonly #alerts: Alerts;

  /** `audio` plays the other side. */
  constructor(audio: HTMLAudioElement, alerts: Alerts) {
    super();
    this.#audio = audio;
    this.#alerts = alerts;
  }

  /** The call, if there is one. */
  get call(): Readonly<CallState> | undefined {
    return this.#call;
  }

  /** Milliseconds since the call connected; -1 before. */
  get duration(): number {
    return this.#call?.api.getCallDuration() ?? -1;
  }

  /** Changes who this telephone belongs to; a call ends. */
  signIn(user: string | undefined): void {
    this.hangUp();
    this.#user = user;
    this.#waiting.clear();
    this.#alerts.clear();
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
    this.#alerts.tell('incomingFrom', { name: call.peer }, true);
    this.#alerts.play('ring');
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
    this.#alerts.quiet();
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
    await this.#command(muted ? 'youMuted' : 'youUnmuted', async (call) => {
      await call.api.muteMyAudio(muted);
      call.muted = muted;
    });
  }

  /** Puts the call on hold, with a reason that the other side sees. */
  async hold(reason: string): Promise<void> {
    await this.#command('youHold', async (call) => {
      await call.api.hold(reason.trim() || undefined);
      call.held = true;
    });
  }

  /** Takes the call off hold. */
  async resume(): Promise<void> {
    await this.#command('holdOver', async (call) => {
      await call.api.unhold();
      call.held = false;
    });
  }

  /** Uses the device from now on, if there is a call. */
  async useDevice(kind: 'microphone' | 'speaker', id: string): Promise<void> {
    await this.#command(undefined, (call) => (kind === 'microphone' ? call.api.setAudioInput(id) : call.api.setAudioOutput(id)));
  }

  /** What is measured, or `undefined` while nothing is. */
  async statistics(): Promise<Statistics | undefined> {
    const call = this.#call;
    return call?.phase === 'connected' ? call.api.getCurrentStats().catch(() => undefined) : undefined;
  }

  /** Does something to the connected call, and says what has been done. */
  async #command(done: Key | undefined, run: (call: Active) => Promise<void>): Promise<void> {
    const call = this.#call;
    if (call?.phase !== 'connected') {
      return;
    }
    try {
      await run(call);
      if (done !== undefined) {
        this.#tell(done, call);
      }
    } catch (error) {
      // A call that has ended meanwhile needs no advice.
      if (call === this.#call) {
        this.#alerts.fault(problemOf(error));
      }
    }
  }

  #begin(direction: 'in' | 'out', peer: string, sid?: string): Active {
    const call = freshCall(this.#user ?? '', direction, peer, sid);
    this.#call = call;
    this.#alerts.clear();
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
      soundBlocked: (resume) => this.#alerts.soundBlocked(resume),
      fault: (problem) => this.#alerts.fault(problem),
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
    this.#alerts.quiet();
    this.#advance(call, 'connected');
    this.#alerts.tell('inCallWith', { name: call.peer }, true);
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
      this.#alerts.play('ringback');
      this.#alerts.tell('callRinging');
    }
    this.changed();
  }

  #tell(key: Key, call: Active, values: Record<string, string> = {}): void {
    this.changed();
    this.#alerts.tell(key, { name: call.peer, ...values });
  }

  #finish(call: Active, end: End): void {
    if (call !== this.#call) {
      return;
    }
    const connected = call.phase === 'connected';
    const seconds = Math.max(0, Math.round(call.api.getCallDuration() / 1_000));
    const { result, sentence } = outcomeOf({ direction: call.direction, connected, ...end });
    addCall(call.user, { peer: call.peer, direction: call.direction, result, at: call.at, seconds });
    this.#alerts.quiet(true);
    this.#silenceNotification(call);
    this.#call = undefined;
    this.#alerts.dismiss();
    this.changed();
    this.#alerts.say({ key: sentence, values: { name: call.peer, duration: clock(seconds), code: end.strCode } });
    this.#next();
  }

  #silenceNotification(call: Active): void {
    if (call.sid !== undefined) {
      void closeCallNotification(call.sid);
    }
  }

  #failed(call: Active, problem: Problem): void {
    if (call === this.#call) {
      this.#alerts.quiet();
      this.#call = undefined;
      this.changed();
      this.#alerts.fault(problem);
    }
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
    if (this.#alerts.problem?.caller === peer) {
      this.#alerts.dismiss();
    }
    this.#alerts.say({ key: 'endedMissed', values: { name: peer } });
  }
}
