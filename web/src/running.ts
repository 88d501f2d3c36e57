/** A call that runs: the state machine, the session with the server, the media paths and the application, put together. */

import type { AnyParams } from './checks.js';
import { watchNetwork, type Interruption } from './interruption.js';
import type { Microphone } from './media/microphone.js';
import { Monitor } from './media/monitor.js';
import { Paths } from './media/paths.js';
import type { PeerPath } from './media/peer.js';
import type { Playback } from './media/playback.js';
import type { Sound } from './media/sound.js';
import type { CallOptions } from './params.js';
import { Session, signalingUrl } from './session.js';
import { ClientCall } from './signaling/machine.js';
import type { ClientMessage, Hello, MakeCall, SessionDescription, Verified, Welcome } from './signaling/messages.js';
import { KIT_DISCONNECT_REASON } from './signaling/reasons.js';
import type { Event, Output } from './signaling/types.js';
import { announce, type Tell } from './tell.js';
import { commitment, newNonce, verification } from './verification.js';

/** What a call is started with. */
export interface Setup {
  /** Settings. */
  options: CallOptions;
  /** What the call is about. */
  params: AnyParams;
  /** The certificate of every path. */
  certificate: RTCCertificate;
  /** Opened, and closed with the call. */
  microphone: Microphone;
  /** Closed with the call. */
  playback: Playback;
  /** Belongs to the playback. */
  sound: Sound;
  /** Tells the application. */
  tell: Tell;
  /** The call is over and everything is closed but the session. */
  whenEnded(): void;
}

/** A call between its start and its end. */
export class Running {
  readonly #setup: Setup;
  /** Says what happens to the call. To be told only by {@link do}. */
  readonly machine: ClientCall;
  readonly #session: Session;
  readonly #paths: Paths;
  /** What is measured. */
  readonly monitor: Monitor;
  /** Of mute and hold only the last state matters by the time the server is back. */
  readonly #untold = new Map<string, ClientMessage>();
  readonly #interruption: Interruption;
  readonly #nonce = newNonce();
  #commit: string | null = null;
  /** Callee: the caller's nonce. Empty when it came before this side's, so that it proves nothing. */
  #revealed: string | undefined;
  /** The path that the verification code belongs to. */
  #verifiedPath: PeerPath | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #description: SessionDescription | null = null;
  #talking = false;
  #held = false;
  #peerHeld = false;
  #verified: Verified | undefined;
  #connectedAt: number | undefined;
  #duration = -1;
  #over = false;

  constructor(setup: Setup) {
    this.#setup = setup;
    const { options, params, tell } = setup;
    const { iceTransportPolicy, preConnect, networkPatienceSec } = options;
    const role = params.ccParam === undefined ? 'caller' : 'callee';
    this.machine = new ClientCall(role, { preConnect: preConnect ?? true });
    const hello: Hello = {
      version: 1,
      service_id: params.myServiceId,
      user_id: params.myId,
      access_token: params.accessToken,
      cc_param: params.ccParam,
      sdk: `duologue-web/${DUOLOGUE_VERSION}`,
      device_key: options.deviceKey,
    };
    this.#session = new Session(signalingUrl(options.serverUrl, globalThis.location?.href), hello, {
      welcome: (welcome) => this.do(() => this.#onWelcome(welcome)),
      message: (message) => this.do((now) => this.machine.handleMessage(message, now)),
      down: (reason) => this.do((now) => this.machine.handleSignalDown(reason, now)),
    });
    const configuration: RTCConfiguration = { certificates: [setup.certificate], bundlePolicy: 'max-bundle' };
    if (iceTransportPolicy) {
      configuration.iceTransportPolicy = iceTransportPolicy;
    }
    this.#paths = new Paths(role, configuration, {
      path: (party, event) => this.do((now) => this.machine.handlePath(party, event, now)),
      interrupted: (interrupted) => {
        // Whatever cut the media may have cut the signalling.
        this.#session.check();
        this.#interruption.change(interrupted);
      },
      describe: (party, description) => this.do(() => this.machine.describe(party, this.#signed(description))),
      candidates: (...found) => this.do(() => this.machine.addCandidates(...found)),
    });
    this.#interruption = watchNetwork({
      isCaller: role === 'caller',
      patience: networkPatienceSec,
      tell,
      isOpen: () => this.#session.isOpen,
      restart: () => this.#paths.restart(),
      lost: () => this.#fail('unreachable'),
    });
    this.monitor = new Monitor({
      params,
      connection: () => this.#paths.active?.connection,
      heard: () => setup.sound.level(setup.microphone.track),
      isSilent: () => this.#held || this.#peerHeld,
      tell,
    });
  }

  /** Ms since the call connected, or that it was connected; -1 when it never was. */
  get duration(): number {
    return this.#connectedAt === undefined ? this.#duration : performance.now() - this.#connectedAt;
  }

  /** Caller: describes this end, before the call begins. */
  async prepare(): Promise<void> {
    if (this.machine.role === 'caller') {
      const description = await this.#paths.first();
      this.#commit = await commitment(description, this.#nonce);
      this.#description = this.#signed(description);
    }
  }

  /** It never begins. */
  discard(): void {
    this.#interruption.stop();
    this.#paths.closeAll();
  }

  /** Begins. What comes of it is told to the application. */
  begin(): void {
    const { peerId, peerServiceId, appServerData = null, callStartMessage = null, ccParam } = this.#setup.params;
    addEventListener('pagehide', this.#onPageHide);
    this.do((now) => {
      if (ccParam === undefined) {
        const make: MakeCall = {
          peer_id: peerId as string,
          peer_service_id: peerServiceId as string,
          media_type: 'audio',
          app_server_data: appServerData,
          call_start_message: callStartMessage,
          description: this.#description,
        };
        this.machine.makeCall(make, now);
      } else {
        this.machine.verifyCall(ccParam, now);
      }
    });
    this.#session.start();
  }

  /** To be called within {@link do}. @throws CommandError when the call is over */
  mute(muted: boolean): void {
    this.machine.mute(muted);
    this.#setup.microphone.muted = muted;
  }

  /** To be called within {@link do}. @throws CommandError unless the call is connected */
  hold(held: boolean, reason: string | null): void {
    this.machine.hold(held, reason);
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
      this.do((now) => this.machine.end(KIT_DISCONNECT_REASON.APP_DESTROY, null, now));
    }
  };

  /** Lets something happen to the machine, and does what it says. */
  do(input: (now: number) => void): void {
    input(performance.now());
    for (let it = this.machine.pollOutput(); it; it = this.machine.pollOutput()) {
      this.#onOutput(it);
    }
    if (this.machine.accepted !== undefined) {
      this.#paths.show();
    }
    this.#paths.watchAudio(this.machine.accepted === undefined && !this.#over);
    void this.#verify();
    clearTimeout(this.#timer);
    const due = this.machine.pollTimeout();
    if (due !== undefined) {
      this.#timer = setTimeout(
        () => this.do((now) => this.machine.handleTimeout(now)),
        Math.max(0, Math.ceil(due - performance.now())),
      );
    }
  }

  #onWelcome(welcome: Welcome): void {
    this.machine.handleSignalUp(welcome);
    this.#paths.admit(
      welcome.ice_servers.map(({ urls, username, credential }) => ({
        urls,
        username: username ?? undefined,
        credential: credential ?? undefined,
      })),
    );
    if (this.machine.timers.preConnect) {
      this.#paths.show();
    }
    this.#untold.forEach((message) => this.#session.send(message));
    this.#untold.clear();
    this.#interruption.signalUp();
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
        if (this.#verifiedPath) {
          // Another device accepted in the end, and may have waited for what this side revealed.
          this.#setup.tell('evtVerifiable', undefined);
        }
        this.#paths.activate(output.party)?.listen((track) => this.#setup.playback.attach(track));
        this.#send();
        break;
      case 'close_path':
        this.#paths.close(output.party);
        break;
      case 'close_media':
        this.#close();
        break;
      case 'reveal':
        this.#revealed ??= this.#paths.active?.own ? output.nonce : '';
        break;
      // A browser can send no RTCP BYE: closing the path is its goodbye.
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
    const { tell, playback, options } = this.#setup;
    if (event.type === 'connected') {
      this.#connectedAt = performance.now();
      this.monitor.start();
    } else if (event.type === 'peer_held' || event.type === 'peer_unheld') {
      this.#peerHeld = event.type === 'peer_held';
      playback.tone = this.#peerHeld && (options.holdTone ?? true);
    } else if (event.type === 'disconnected') {
      this.#session.finish(this.machine.isKnownToServer);
    }
    announce(event, tell, this.#verified);
    if (event.type === 'disconnected') {
      this.#setup.whenEnded();
    }
  }

  /** The path of the call is of no use any more. */
  #fail(failure: 'unreachable' | 'authentication'): void {
    const party = this.#paths.active?.party ?? 0;
    this.do((now) => this.machine.handlePath(party, { type: 'failed', failure }, now));
  }

  /** This end with its half of the verification code. */
  #signed(own: SessionDescription): SessionDescription {
    if (this.machine.role === 'caller') {
      own.commit = this.#commit;
    } else {
      own.nonce = this.#nonce;
    }
    return own;
  }

  /** Makes the verification code, once: as soon as the path of the call is up and, at the callee, the caller's nonce is there. */
  async #verify(): Promise<void> {
    const path = this.#paths.active;
    const isCaller = this.machine.role === 'caller';
    const nonce = isCaller ? this.#nonce : this.#revealed;
    if (this.#verifiedPath || !path?.isUp || !path.own || !path.remote || !nonce) {
      return;
    }
    this.#verifiedPath = path;
    if (isCaller && path.remote.nonce !== null) {
      this.do(() => this.machine.reveal(nonce));
    }
    const input = await (isCaller ? verification(path.own, path.remote, nonce) : verification(path.remote, path.own, nonce));
    if (input === false) {
      this.#fail('authentication');
    } else if (input && path === this.#paths.active) {
      this.#setup.tell('evtVerifiable', input);
    }
  }

  /** Everything but the session, which still has to tell the server. */
  #close(): void {
    this.#over = true;
    this.#talking = false;
    this.#duration = this.duration;
    this.#connectedAt = undefined;
    this.#interruption.stop();
    removeEventListener('pagehide', this.#onPageHide);
    this.monitor.stop();
    this.#paths.closeAll();
    this.#setup.microphone.close();
    this.#setup.playback.close();
  }
}
