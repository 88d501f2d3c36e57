/** A call that runs: the state machine, the session with the server, the media paths and the application, put together. */

import type { Microphone } from './media/microphone.js';
import { Monitor } from './media/monitor.js';
import { Paths } from './media/paths.js';
import type { Playback } from './media/playback.js';
import type { Sound } from './media/sound.js';
import type { CommonParams } from './params.js';
import { Session } from './session.js';
import { ClientCall } from './signaling/machine.js';
import type { ClientMessage, Hello, MakeCall, SessionDescription, Verified, Welcome } from './signaling/messages.js';
import { KIT_DISCONNECT_REASON, type KitDisconnectReason } from './signaling/reasons.js';
import type { Event, Output } from './signaling/types.js';
import { announce, type Tell } from './tell.js';

/** How long an interrupted path is waited for before the call ends, in seconds. */
const LOST_AFTER = 10;

/** What a call is started with. */
export interface Setup {
  /** What a caller asks for; a callee has its `cc_param` in the greeting. */
  make: Omit<MakeCall, 'description'> | false;
  /** The signalling's address; `undefined` when there is none. */
  url: string | undefined;
  /** Who this is. */
  hello: Hello;
  /** Whether the path may be built before the accept. */
  preConnect: boolean;
  /** The certificate of every path. */
  certificate: RTCCertificate;
  /** Opened, and closed with the call. */
  microphone: Microphone;
  /** Closed with the call. */
  playback: Playback;
  /** Belongs to the playback. */
  sound: Sound;
  /** Whether a tone is heard while the peer holds the call. */
  holdTone: boolean;
  /** Intervals. */
  params: CommonParams;
  /** Tells the application. */
  tell: Tell;
  /** The call is over and everything is closed but the session. */
  whenEnded(): void;
}

/** A call between its start and its end. */
export class Running {
  readonly #setup: Setup;
  readonly #machine: ClientCall;
  readonly #session: Session;
  readonly #paths: Paths;
  /** What is measured. */
  readonly monitor: Monitor;
  /** Of mute and hold only the last state matters by the time the server is back. */
  readonly #untold = new Map<string, ClientMessage>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #lost: ReturnType<typeof setTimeout> | undefined;
  #description: SessionDescription | null = null;
  #talking = false;
  #held = false;
  #verified: Verified | undefined;
  #connectedAt: number | undefined;
  #duration = -1;
  #over = false;

  constructor(setup: Setup) {
    this.#setup = setup;
    const role = setup.make ? 'caller' : 'callee';
    this.#machine = new ClientCall(role, { preConnect: setup.preConnect });
    this.#session = new Session(setup.url, setup.hello, {
      welcome: (welcome) => this.#do(() => this.#onWelcome(welcome)),
      message: (message) => this.#do((now) => this.#machine.handleMessage(message, now)),
      down: (reason) => this.#do((now) => this.#machine.handleSignalDown(reason, now)),
    });
    this.#paths = new Paths(role, setup.certificate, {
      path: (party, event) => this.#do((now) => this.#machine.handlePath(party, event, now)),
      interrupted: (interrupted) => this.#onInterrupted(interrupted),
      describe: (party, description) => this.#do(() => this.#machine.describe(party, description)),
      candidates: (party, found, end) => this.#do(() => this.#machine.addCandidates(party, 0, found, end)),
    });
    this.monitor = new Monitor({
      params: setup.params,
      connection: () => this.#paths.active?.connection,
      heard: () => setup.sound.level(setup.microphone.track),
      tell: setup.tell,
    });
  }

  /** The documented state. */
  get state(): ClientCall['state'] {
    return this.#machine.state;
  }

  /** The call's id, once the server gave it. */
  get sid(): string | undefined {
    return this.#machine.sid;
  }

  /** Ms since the call connected, or that it was connected; -1 when it never was. */
  get duration(): number {
    return this.#connectedAt === undefined ? this.#duration : performance.now() - this.#connectedAt;
  }

  /** Caller: describes this end, before the call begins. */
  async prepare(): Promise<void> {
    this.#description = this.#setup.make ? await this.#paths.first() : null;
  }

  /** It never begins. */
  discard(): void {
    this.#paths.closeAll();
  }

  /** Begins. What comes of it is told to the application. */
  begin(): void {
    const { make, hello } = this.#setup;
    addEventListener('pagehide', this.#onPageHide);
    this.#do((now) => {
      if (make) {
        this.#machine.makeCall({ ...make, description: this.#description }, now);
      } else {
        this.#machine.verifyCall(hello.cc_param ?? '', now);
      }
    });
    this.#session.start();
  }

  /** @throws CommandError unless the callee was told `evtVerified` and has not accepted */
  accept(callStartMessage: string | null): void {
    this.#do((now) => this.#machine.accept(callStartMessage, now));
  }

  /** @throws CommandError when the call is over */
  end(reason: KitDisconnectReason | null, phrase: string | null): void {
    this.#do((now) => this.#machine.end(reason, phrase, now));
  }

  /** @throws CommandError when the call is over */
  mute(muted: boolean): void {
    this.#do(() => this.#machine.mute(muted));
    this.#setup.microphone.muted = muted;
  }

  /** @throws CommandError unless the call is connected */
  hold(held: boolean, reason: string | null): void {
    this.#do(() => this.#machine.hold(held, reason));
    this.#held = held;
    this.#setup.playback.held = held;
    this.#send();
  }

  /** Sends the microphone's present track, or nothing. Before the accept and during a hold that is nothing. */
  #send(): void {
    this.#paths.active?.send(this.#talking && !this.#held ? this.#setup.microphone.track : null);
  }

  /** The microphone's track is another one. */
  trackChanged(): void {
    this.#send();
  }

  readonly #onPageHide = ({ persisted }: PageTransitionEvent): void => {
    // A page that is kept may be shown again; one that is not takes its call with it.
    if (!persisted && !this.#over) {
      this.end(KIT_DISCONNECT_REASON.APP_DESTROY, null);
    }
  };

  /** Lets something happen to the machine, and does what it says. */
  #do(input: (now: number) => void): void {
    input(performance.now());
    for (let it = this.#machine.pollOutput(); it; it = this.#machine.pollOutput()) {
      this.#onOutput(it);
    }
    if (this.#machine.accepted !== undefined) {
      this.#paths.show();
    }
    this.#paths.watchAudio(this.#machine.accepted === undefined && !this.#over);
    clearTimeout(this.#timer);
    const due = this.#machine.pollTimeout();
    if (due !== undefined) {
      this.#timer = setTimeout(
        () => this.#do((now) => this.#machine.handleTimeout(now)),
        Math.max(0, Math.ceil(due - performance.now())),
      );
    }
  }

  #onWelcome(welcome: Welcome): void {
    this.#machine.handleSignalUp(welcome);
    this.#paths.admit(
      welcome.ice_servers.map(({ urls, username, credential }) => ({
        urls,
        ...(username !== null && { username }),
        ...(credential !== null && { credential }),
      })),
    );
    if (this.#machine.timers.preConnect) {
      this.#paths.show();
    }
    this.#untold.forEach((message) => this.#session.send(message));
    this.#untold.clear();
  }

  #onOutput(output: Output): void {
    switch (output.type) {
      case 'send':
        this.#tell(output.message);
        break;
      case 'event':
        this.#onEvent(output.event);
        break;
      case 'confirmed': {
        const { party, description, candidates, end_of_candidates } = output.verified;
        this.#verified = output.verified;
        if (description) {
          this.#paths.setRemote(party, description);
        }
        this.#paths.addCandidates(party, description?.generation ?? 0, candidates, end_of_candidates);
        break;
      }
      case 'describe':
        void this.#paths.add(output.party);
        break;
      case 'remote_description':
        this.#paths.setRemote(output.party, output.description);
        break;
      case 'remote_candidates':
        this.#paths.addCandidates(output.party, output.generation, output.candidates, output.end);
        break;
      case 'start_audio':
        this.#talking = true;
        this.#paths.activate(output.party)?.listen((track) => this.#setup.playback.attach(track));
        this.#send();
        break;
      case 'close_path':
        this.#paths.close(output.party);
        break;
      case 'close_media':
        this.#close();
        break;
      // A browser can send no RTCP BYE: closing the path is its goodbye. It shows no verification code either.
    }
  }

  #tell(message: ClientMessage): void {
    if ((message.type === 'mute' || message.type === 'hold') && !this.#session.isOpen) {
      this.#untold.set(message.type, message);
    } else {
      this.#session.send(message);
    }
  }

  #onEvent(event: Event): void {
    const { tell, playback, holdTone } = this.#setup;
    if (event.type === 'connected') {
      this.#connectedAt = performance.now();
      this.monitor.start();
    } else if (event.type === 'peer_held' || event.type === 'peer_unheld') {
      playback.tone = holdTone && event.type === 'peer_held';
    } else if (event.type === 'disconnected') {
      this.#session.finish(this.#machine.isKnownToServer);
    }
    announce(event, tell, this.#verified);
    if (event.type === 'disconnected') {
      this.#setup.whenEnded();
    }
  }

  #onInterrupted(interrupted: boolean): void {
    clearTimeout(this.#lost);
    if (interrupted) {
      const party = this.#paths.active?.party ?? 0;
      this.#lost = setTimeout(
        () => this.#do((now) => this.#machine.handlePath(party, { type: 'failed', failure: 'unreachable' }, now)),
        LOST_AFTER * 1000,
      );
      // Whatever cut the media may have cut the signalling.
      this.#session.check();
      this.#setup.tell('evtNetworkUnavailable', { isPeer: false, willDisconnectSec: LOST_AFTER });
    } else {
      this.#setup.tell('evtNetworkReavailable', { isPeer: false });
    }
  }

  /** Everything but the session, which still has to tell the server. */
  #close(): void {
    this.#over = true;
    this.#talking = false;
    this.#duration = this.duration;
    this.#connectedAt = undefined;
    clearTimeout(this.#lost);
    removeEventListener('pagehide', this.#onPageHide);
    this.monitor.stop();
    this.#paths.closeAll();
    this.#setup.microphone.close();
    this.#setup.playback.close();
  }
}
