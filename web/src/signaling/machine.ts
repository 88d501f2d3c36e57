/**
 * A call on one device, without I/O and without a clock: the client half of the call state machine.
 *
 * Feed it commands, messages, path events and time (ms of any one clock); then drain {@link ClientCall.pollOutput}.
 * Numbers of devices: 0 is the caller's, from 1 on they are the callee's in the order of their verification.
 */

import { DEVICES, HOLD_REASON, cut } from './limits.js';
import type { ClientMessage, MakeCall, ServerMessage, SessionDescription, Welcome } from './messages.js';
import { DISCONNECT_SOURCE, KIT_DISCONNECT_REASON, isMultidev, mayComeFrom, sourceOf, type DisconnectSource } from './reasons.js';
import type { CallState, Event, Output, PathEvent, Role, Timers } from './types.js';

export type { CallState, Event, Output, PathEvent, Role, Timers } from './types.js';

/** A command does not fit the state of the call, or only the other role can do it. */
export class CommandError extends Error {
  constructor(
    /** The state of the call, when that is what does not fit. */
    readonly state?: CallState,
    /** The role of this device, when that is what does not fit. */
    readonly role?: Role,
  ) {
    super(`not possible for ${state ?? role}`);
  }
}

interface Peer {
  readonly party: number;
  up: boolean;
}

/** A hold's reason or none; undefined: no hold. */
type Hold = string | null | undefined;

/** Deadlines, in the order in which they pass when they are due at once. */
const TIMERS = ['setup', 'verified', 'connect', 'signalLost', 'closed'] as const;
type Timer = (typeof TIMERS)[number];

const R = KIT_DISCONNECT_REASON;

/** A call on one device. Outputs are bounded: each input adds at most two for every device of the callee, and four more. */
export class ClientCall {
  /** Which end this is. */
  readonly role: Role;
  /** Deadlines and policy in force. */
  readonly timers: Timers;
  #state: CallState = 'idle';
  #deadlines: Partial<Record<Timer, number>> = {};
  #sid: string | undefined;
  /** Caller: the devices that verified and are not gone. Callee: itself, once the server gave it a number. */
  #peers: Peer[] = [];
  #accepted: number | undefined;
  /** Caller: the device with which the server was told that the call is connected. */
  #connectedTold: number | undefined;
  #startMessage: string | null = null;
  #signal: 'never' | 'up' | 'down' = 'never';
  /** Callee: ended by this device's user, whether or not the server was reached. */
  #declined = false;
  #muted = false;
  #peerMuted = false;
  #peerMutedTold = false;
  #hold: Hold;
  #peerHold: Hold;
  #peerHoldTold: Hold;
  #outputs: Output[] = [];

  constructor(role: Role, timers: Partial<Timers> = {}) {
    this.role = role;
    this.timers = { setup: 15e3, verified: 1e3, connect: 15e3, signalLost: 30e3, closed: 2e3, preConnect: true, ...timers };
  }

  /** The documented state. */
  get state(): CallState {
    return this.#state;
  }

  /** The device that accepted. It may be known before the call is connected. */
  get accepted(): number | undefined {
    return this.#accepted;
  }

  /** The call's id, once the server gave it. */
  get sid(): string | undefined {
    return this.#sid;
  }

  /**
   * True when the server has to be told of the end: it let this device in, or this is a callee that declined before, whose call
   * would go on ringing there.
   */
  get isKnownToServer(): boolean {
    return this.#signal !== 'never' || this.#declined;
  }

  /** Caller: asks the server for a call. The connection may come up later. Throws unless this is a fresh caller. */
  makeCall(make: MakeCall, now: number): void {
    this.#expect('caller', 'idle');
    this.#start({ type: 'make_call', ...make }, now);
  }

  /** Callee: asks the server about the call of a push. Throws unless this is a fresh callee. */
  verifyCall(ccParam: string, now: number): void {
    this.#expect('callee', 'idle');
    this.#start({ type: 'verify_call', cc_param: ccParam }, now);
  }

  /** Callee: accepts. Throws unless the application was told `verified` and nothing was accepted yet. */
  accept(callStartMessage: string | null, now: number): void {
    this.#expect('callee', 'verified');
    const own = this.#peers[0];
    if (this.#accepted !== undefined || !own) throw new CommandError(this.#state);
    this.#send({ type: 'accept', call_start_message: callStartMessage });
    this.#choose(own, now);
  }

  /**
   * Ends the call, for both sides. `null` is the ordinary reason: CANCEL, DECLINE or NORMAL. Throws when the call was not
   * started or is already over.
   */
  end(reason: number | null, userCode: string | null, _now: number): void {
    this.#expectRunning();
    this.#declined = this.role === 'callee';
    this.#endLocally(reason ?? this.#ordinaryEnd(this.role), userCode);
  }

  /** Tells the peer about the own microphone: off (`true`) or on. Throws when the call does not run. */
  mute(muted: boolean): void {
    this.#expectRunning();
    if (this.#muted === muted) return;
    this.#muted = muted;
    this.#send({ type: 'mute', muted });
  }

  /**
   * Tells the peer that the call is on hold here, with a reason of at most 256 bytes of UTF-8 (a longer one is cut at a
   * character border), or that it goes on. Throws unless the call is connected.
   */
  hold(held: boolean, reason: string | null): void {
    if (this.#state !== 'connected') throw new CommandError(this.#state);
    const hold = held ? reason && cut(reason, HOLD_REASON) : undefined;
    if (this.#hold === hold) return;
    this.#hold = hold;
    this.#send({ type: 'hold', held, reason: hold ?? null });
  }

  /**
   * Tells the other side how this device is reached. Caller: `party` is the device that is meant, none the one that
   * answers the first description. Dropped when the call does not run.
   */
  describe(party: number | null, description: SessionDescription): void {
    if (this.#isRunning()) this.#send({ type: 'description', party, description });
  }

  /**
   * Tells the other side of more candidates. Caller: `party` is the device that is meant, none every device. Dropped when
   * the call does not run.
   */
  addCandidates(party: number | null, generation: number, candidates: string[], end: boolean): void {
    if (this.#isRunning()) this.#send({ type: 'candidates', party, generation, candidates, end });
  }

  /** Caller: opens the commitment to the device that accepted. Dropped when no device did. */
  reveal(nonce: string): void {
    if (this.role === 'caller' && this.#accepted !== undefined && this.#state !== 'disconnected') {
      this.#send({ type: 'reveal', nonce });
    }
  }

  /** A message of the server. What does not fit the state of the call is ignored. */
  handleMessage(message: ServerMessage, now: number): void {
    if (!this.#isRunning()) return;
    const caller = this.role === 'caller';
    switch (message.type) {
      case 'call_created':
        if (caller) {
          this.#disarm('setup');
          if (!this.#sid) this.#output({ type: 'created', sid: (this.#sid = message.sid) });
        }
        break;
      case 'wait_connected':
        if (caller) this.#waitConnected();
        break;
      case 'peer_verified':
        if (caller && this.#admit(message.party) && message.describe) this.#output({ type: 'describe', party: message.party });
        break;
      case 'peer_left':
        if (caller && this.#accepted !== message.party && this.#peer(message.party)) this.#remove(message.party);
        break;
      case 'accepted':
        if (caller) this.#onAccepted(message.party, message.call_start_message, now);
        break;
      case 'verified':
        if (!caller) this.#onVerified(message, now);
        break;
      case 'reveal':
        if (!caller) this.#output(message);
        break;
      case 'description':
        if (this.#isPath(message.party)) this.#output({ ...message, type: 'remote_description' });
        break;
      case 'candidates':
        if (this.#isPath(message.party)) this.#output({ ...message, type: 'remote_candidates' });
        break;
      case 'peer_muted':
        this.#peerMuted = message.muted;
        this.#tellPeer();
        break;
      case 'peer_held':
        this.#peerHold = message.held ? message.reason : undefined;
        this.#tellPeer();
        break;
      case 'ended':
        // The other side may have lost the server; a device that another one has overtaken has nothing to say to it.
        if (!isMultidev(message.reason)) this.#output({ type: 'send_bye', reason: message.reason, user_code: null });
        this.#finish(message.reason, sourceOf(message.source), message.user_code);
        break;
      case 'error':
        // The server refuses this device before there is a call. Later it only announces the connection's close.
        if (!this.#sid) this.#finish(message.reason, DISCONNECT_SOURCE.CLOUD_SERVER, null);
        break;
    }
  }

  /** A connection stands and the server let this device in. */
  handleSignalUp(welcome: Welcome): void {
    if (this.#signal === 'never') {
      const { verified_after_ms, connect_timeout_ms, pre_connect } = welcome.policy;
      this.timers.verified = verified_after_ms;
      this.timers.connect = connect_timeout_ms;
      this.timers.preConnect &&= pre_connect;
    }
    this.#signal = 'up';
    this.#disarm('signalLost');
  }

  /** The connection is gone, or could not be made: then `reason` is the code that says why. */
  handleSignalDown(reason: number | null, now: number): void {
    if (!this.#isRunning()) return;
    if (this.#signal === 'never') {
      // The deadline of the set-up covers a connection that broke before the server let this device in.
      if (reason !== null) this.#endLocally(reason, null);
      return;
    }
    this.#signal = 'down';
    if (this.#accepted === undefined && this.#deadlines.signalLost === undefined) this.#arm('signalLost', now);
  }

  /** Something happened on the path with a device. A callee names itself. What does not fit is ignored. */
  handlePath(party: number, event: PathEvent, now: number): void {
    const peer = this.#peer(party);
    if (!this.#isRunning() || !peer) return;
    switch (event.type) {
      case 'up':
        peer.up = true;
        this.#disarm('closed');
        if (this.role === 'callee') this.#verified(true);
        if (this.#accepted === party) this.#connected();
        break;
      case 'failed':
        peer.up = false;
        if (event.failure === 'authentication') {
          if ((this.#accepted ?? party) === party) this.#endLocally(R.AUTH_ERROR, null);
        } else if (this.#accepted === party && this.#state === 'connected') {
          this.#endLocally(R.UNAVAILABLE_NETWORK, null);
        }
        break;
      case 'first_audio':
        // Only a callee that accepted sends audio. While exactly one device verified, nobody else can have accepted first.
        if (this.role === 'caller' && this.#accepted === undefined && this.#peers.length === 1 && peer.up) {
          this.#waitConnected();
          this.#send({ type: 'accepted_by_media', party });
          this.#chooseOnly(peer, now);
        }
        break;
      case 'bye':
        if (this.role === 'callee' || (this.#accepted === undefined ? this.#peers.length === 1 : this.#accepted === party)) {
          this.#endedByPeer(event.reason, event.user_code);
        }
        break;
      case 'closed':
        peer.up = false;
        if (this.role === 'callee' || this.#accepted === party) {
          if (this.#signal === 'down') this.#endedByPeer(null, null);
          else this.#arm('closed', now);
        }
        break;
    }
  }

  /** Lets every deadline pass that is due. */
  handleTimeout(now: number): void {
    for (let at = this.pollTimeout(); at !== undefined && at <= now; at = this.pollTimeout()) {
      const timer = TIMERS.find((it) => this.#deadlines[it] === at)!;
      this.#disarm(timer);
      if (timer === 'verified') this.#verified(false);
      else if (timer === 'closed') this.#endedByPeer(null, null);
      else {
        const reason = { setup: R.SERVICE_HTTP_CONNECTION_TIME_OUT, connect: R.NETWORK_UNSTABLE, signalLost: R.UNAVAILABLE_NETWORK }[timer];
        this.#endLocally(reason, null);
      }
    }
  }

  /** When {@link handleTimeout} is to be called. */
  pollTimeout(): number | undefined {
    const due = Object.values(this.#deadlines);
    return due.length ? Math.min(...due) : undefined;
  }

  /** The next thing to do. */
  pollOutput(): Output | undefined {
    return this.#outputs.shift();
  }

  #start(message: ClientMessage, now: number): void {
    this.#state = 'trying';
    this.#send(message);
    this.#arm('setup', now);
  }

  #expect(role: Role, state: CallState): void {
    if (this.role !== role) throw new CommandError(undefined, this.role);
    if (this.#state !== state) throw new CommandError(this.#state);
  }

  #expectRunning(): void {
    if (!this.#isRunning()) throw new CommandError(this.#state);
  }

  #isRunning(): boolean {
    return this.#state !== 'idle' && this.#state !== 'disconnected';
  }

  /** The reason of an end without fault by `role`, in the present state. */
  #ordinaryEnd(role: Role): number {
    if (this.#accepted !== undefined) return R.NORMAL;
    return role === 'caller' ? R.CANCEL : R.DECLINE;
  }

  #waitConnected(): void {
    if (this.#state === 'trying') {
      this.#disarm('setup');
      this.#state = 'wait_answer';
      this.#event({ type: 'wait_connected' });
    }
  }

  #onVerified(message: ServerMessage & { type: 'verified' }, now: number): void {
    if (this.#sid) return;
    const { type: _, ...verified } = message;
    this.#sid = verified.sid;
    this.#disarm('setup');
    this.#peers.push({ party: verified.party, up: false });
    this.#output({ type: 'confirmed', verified });
    if (this.timers.preConnect) this.#arm('verified', now);
    else this.#verified(false);
  }

  #verified(preConnected: boolean): void {
    if (this.#state === 'trying') {
      this.#disarm('verified');
      this.#state = 'verified';
      this.#event({ type: 'verified', pre_connected: preConnected });
    }
  }

  #onAccepted(party: number, callStartMessage: string | null, now: number): void {
    if (this.#accepted === party) {
      // Audio was faster than the server. Its text still makes it when there is no path yet.
      if (this.#state !== 'connected') this.#startMessage = callStartMessage;
      return;
    }
    // With audio of one device taken for its accept, the server may have decided for another one meanwhile.
    this.#accepted = undefined;
    if (!this.#admit(party)) return;
    // An accept implies that the callee was alerted.
    this.#waitConnected();
    this.#startMessage = callStartMessage;
    this.#chooseOnly(this.#peer(party)!, now);
  }

  /** Caller: this device accepted; the paths with all others are closed. */
  #chooseOnly(chosen: Peer, now: number): void {
    for (const other of this.#peers) if (other !== chosen) this.#remove(other.party);
    this.#choose(chosen, now);
  }

  /** The device accepted; the rest is a question of the media path. */
  #choose(peer: Peer, now: number): void {
    this.#accepted = peer.party;
    // From here on the call lives as long as its media path, with or without the server.
    this.#disarm('signalLost');
    this.#disarm('closed');
    this.#output({ type: 'start_audio', party: peer.party });
    if (peer.up) this.#connected();
    else this.#arm('connect', now);
  }

  /** Accepted, and the path of the device is up. */
  #connected(): void {
    this.#disarm('connect');
    // The caller's word is enough for the record.
    if (this.role === 'caller' && this.#connectedTold !== this.#accepted && this.#accepted !== undefined) {
      this.#connectedTold = this.#accepted;
      this.#send({ type: 'connected', party: this.#accepted });
    }
    if (this.#state !== 'connected') {
      this.#state = 'connected';
      this.#event({ type: 'connected', call_start_message: this.#startMessage });
      this.#tellPeer();
    }
  }

  /** What the peer does with its microphone and whether it holds, once connected and when it changed. */
  #tellPeer(): void {
    if (this.#state !== 'connected') return;
    if (this.#peerMutedTold !== this.#peerMuted) {
      this.#event({ type: 'peer_muted', muted: (this.#peerMutedTold = this.#peerMuted) });
    }
    if (this.#peerHoldTold !== this.#peerHold) {
      const reason = (this.#peerHoldTold = this.#peerHold);
      this.#event(reason === undefined ? { type: 'peer_unheld' } : { type: 'peer_held', reason });
    }
  }

  /** This device ends the call. */
  #endLocally(reason: number, userCode: string | null): void {
    if (this.isKnownToServer) this.#send({ type: 'end', reason, user_code: userCode, by_remote: false });
    this.#output({ type: 'send_bye', reason, user_code: userCode });
    this.#finish(reason, this.role, null);
  }

  /** The peer ended the call on the media path. */
  #endedByPeer(said: number | null, userCode: string | null): void {
    const peer: Role = this.role === 'caller' ? 'callee' : 'caller';
    // The peer may also pass on what the server told it first: an end by the server, or on behalf of this device.
    const found =
      said !== null && !isMultidev(said)
        ? [peer, DISCONNECT_SOURCE.CLOUD_SERVER, this.role].find((it) => mayComeFrom(said, it))
        : undefined;
    const reason = found ? said! : this.#ordinaryEnd(peer);
    if (this.isKnownToServer) this.#send({ type: 'end', reason, user_code: userCode, by_remote: true });
    // A caller neither declines nor is busy: it passes on what another device of this user said.
    if (peer === 'caller' && (reason === R.DECLINE || reason === R.BUSY)) this.#finish(R.MULTIDEV_DECLINE, DISCONNECT_SOURCE.CLOUD_SERVER, null);
    else this.#finish(reason, found ?? peer, userCode);
  }

  /** The only way into the last state. */
  #finish(reason: number, source: DisconnectSource, userCode: string | null): void {
    this.#state = 'disconnected';
    this.#deadlines = {};
    this.#output({ type: 'close_media' });
    this.#event({ type: 'disconnected', reason, source, by_remote: source !== this.role, user_code: userCode });
  }

  #peer(party: number): Peer | undefined {
    return this.#peers.find((it) => it.party === party);
  }

  #remove(party: number): void {
    this.#peers = this.#peers.filter((it) => it.party !== party);
    this.#output({ type: 'close_path', party });
  }

  /** Caller: counts a device among those that verified. False when it comes too late, or when there are too many. */
  #admit(party: number): boolean {
    if (this.#accepted !== undefined || party === 0) return false;
    if (!this.#peer(party)) {
      if (this.#peers.length >= DEVICES) return false;
      this.#peers.push({ party, up: false });
      this.#peers.sort((a, b) => a.party - b.party);
    }
    return true;
  }

  /** True when messages about the path with this device are of use. */
  #isPath(party: number): boolean {
    // The description shows that the device verified, should that news come later.
    if (this.role === 'caller') return this.#admit(party) || this.#accepted === party;
    return this.#peer(party) !== undefined;
  }

  #arm(timer: Timer, now: number): void {
    this.#deadlines[timer] = now + this.timers[timer];
  }

  #disarm(timer: Timer): void {
    delete this.#deadlines[timer];
  }

  #send(message: ClientMessage): void {
    this.#output({ type: 'send', message });
  }

  #event(event: Event): void {
    this.#output({ type: 'event', event });
  }

  #output(output: Output): void {
    this.#outputs.push(output);
  }
}
