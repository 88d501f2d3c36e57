/** The media path to one device of the peer: one RTCPeerConnection. */

import { CANDIDATES } from '../signaling/limits.js';
import type { SessionDescription } from '../signaling/messages.js';
import type { PathEvent } from '../signaling/types.js';
import { LocalCandidates } from './candidates.js';
import { candidate, fromSdp, opusOf, toSdp } from './sdp.js';

/** How often a caller looks whether the only device that verified sends audio, which is its accept, in ms. */
const AUDIO_POLL = 100;

/** What a path tells. Nothing is told after {@link PeerPath.close}. */
export interface PeerHandlers {
  /** Something that the call's state machine wants to know. */
  path(event: PathEvent): void;
  /** The path is interrupted (`true`) or carries again. */
  interrupted(interrupted: boolean): void;
  /** {@link PeerPath.local} has something. */
  candidates(): void;
  /** This end, for the other side: the answer, or a restart. */
  describe(description: SessionDescription): void;
}

/** One path. Its operations run one after the other. */
export class PeerPath {
  /** The peer's device. The caller does not know it before the first device has verified. */
  party: number | undefined;
  /** Encrypted both ways, with the certificate that was signalled: the browser compares them (RFC 8122 §6.2). */
  isUp = false;
  /** Ways to reach this end, of this generation. */
  local = new LocalCandidates();

  /** This end, as the other side was told at last; its generation counts the restarts of ICE. */
  own: SessionDescription | undefined;
  /** The other end: what it said at first, with the credentials of its last restart. */
  remote: SessionDescription | undefined;

  readonly #pc: RTCPeerConnection;
  readonly #configuration: RTCConfiguration;
  readonly #handlers: PeerHandlers;
  #transceiver: RTCRtpTransceiver | undefined;
  #dtls: RTCDtlsTransport | undefined;
  #chain: Promise<void> = Promise.resolve();
  #offer: RTCSessionDescriptionInit | undefined;
  /** Candidates of the other side that may not be used yet: a check shows this side's address. `''`: no more will come. */
  #waiting: string[] = [];
  #found = 0;
  #checking = false;
  #closed = false;
  #interrupted = false;
  #track: MediaStreamTrack | null = null;
  #play: ((track: MediaStreamTrack) => void) | undefined;
  #audioTimer: ReturnType<typeof setInterval> | undefined;

  /**
   * @param configuration of the connection; its servers are looked at again by {@link gather} and at each restart
   * @param handlers what is to be called
   */
  constructor(configuration: RTCConfiguration, handlers: PeerHandlers) {
    this.#handlers = handlers;
    this.#configuration = configuration;
    const pc = new RTCPeerConnection(configuration);
    this.#pc = pc;
    pc.onicecandidate = ({ candidate }) => {
      if (!this.#closed) {
        this.local.note(candidate);
        handlers.candidates();
      }
    };
    pc.onconnectionstatechange = pc.oniceconnectionstatechange = () => this.#look();
  }

  /** What the browser counts. */
  get connection(): RTCPeerConnection {
    return this.#pc;
  }

  /** Gives the peer's audio out, as soon as there is a track for it. Playing it is up to the call. */
  listen(play: (track: MediaStreamTrack) => void): void {
    this.#play = play;
    if (this.#transceiver) {
      play(this.#transceiver.receiver.track);
    }
  }

  /**
   * Caller: this end. Nothing is gathered yet.
   *
   * @throws when the browser cannot describe audio that could be used
   */
  async offer(): Promise<SessionDescription> {
    this.#use(this.#pc.addTransceiver('audio', { direction: 'sendrecv' }));
    this.#offer = await this.#pc.createOffer();
    return (this.own = fromSdp(this.#offer.sdp, 0));
  }

  /** Caller: begins to gather, now that the servers for it are known. */
  gather(): void {
    this.#run(async () => {
      this.#pc.setConfiguration(this.#configuration);
      await this.#pc.setLocalDescription(this.#offer);
      this.#watch();
    });
  }

  /**
   * How the other side is reached: at first as an answer to {@link offer} or, at the callee, as the offer; then after each restart of
   * ICE by either side. Of those only generation, credentials and candidates count: the certificate stays that of the first.
   *
   * Each side has credentials for a generation once, and sends them when it restarts or when the other side did. So a restart of both
   * at the same moment needs no rule: what the other side sends is taken for the answer, to which it is equal.
   */
  setRemote(description: SessionDescription): void {
    const before = this.remote;
    const { generation, ufrag, pwd, candidates, end_of_candidates } = description;
    if (this.#closed || (before && generation <= before.generation)) {
      return;
    }
    const remote = before ? { ...before, generation, ufrag, pwd } : description;
    this.remote = remote;
    if (before) {
      this.#waiting = [];
      this.#found = 0;
    }
    this.#run(async () => {
      const told = this.own?.generation ?? -1;
      if (before && (remote !== this.remote || generation < told)) {
        // One of both sides has restarted once more.
        return;
      }
      this.#pc.setConfiguration(this.#configuration);
      if (generation > told) {
        await this.#apply('offer', remote);
        const [transceiver] = this.#pc.getTransceivers();
        if (transceiver && !this.#transceiver) {
          this.#use(transceiver);
          transceiver.direction = 'sendrecv';
          await transceiver.sender.replaceTrack(this.#track);
          this.#play?.(transceiver.receiver.track);
        }
        await this.#renew(before, ufrag);
        this.#describe(fromSdp(this.#pc.localDescription?.sdp, generation));
      } else {
        if (before) {
          await this.#renew(before, ufrag, this.#offer);
        }
        await this.#apply('answer', remote);
      }
    });
    this.addCandidates(generation, candidates, end_of_candidates);
  }

  /**
   * Finds the way to the other side anew, while the old one is kept as long as it carries. Nothing happens before the first answer.
   *
   * A Firefox that answered another payload type than its own offers its own now, which the other side would not send. It leaves the
   * restart to that side.
   */
  restart(): void {
    this.#run(async () => {
      const { own, remote } = this;
      if (own && remote) {
        const offer = await this.#pc.createOffer({ iceRestart: true });
        const next = fromSdp(offer.sdp, own.generation + 1);
        if (opusOf(next) === opusOf(own)) {
          this.#offer = offer;
          this.#describe(next);
        }
      }
    });
  }

  /** More candidates of the other side; `end`: all of them. At most 64 of a generation are taken. */
  addCandidates(generation: number, candidates: string[], end: boolean): void {
    if (!this.remote || generation === this.remote.generation) {
      const taken = [...candidates, ...(end ? [''] : [])].slice(0, CANDIDATES + 1 - this.#found);
      this.#found += taken.length;
      this.#waiting.push(...taken);
      this.#useCandidates();
    }
  }

  /** The other side may learn this side's addresses, which checks show. */
  allowChecks(): void {
    this.#checking = true;
    this.#useCandidates();
  }

  /** Sends this track from now on, or nothing. No track was ever attached before: not a packet leaves before the accept. */
  send(track: MediaStreamTrack | null): void {
    this.#track = track;
    this.#run(async () => this.#transceiver?.sender.replaceTrack(track));
  }

  /** Caller: watches for the first audio packet, and tells it once. */
  watchAudio(): void {
    const receiver = this.#transceiver?.receiver;
    if (this.#audioTimer !== undefined || !receiver || this.#closed) {
      return;
    }
    this.#audioTimer = setInterval(async () => {
      const report = await receiver.getStats().catch(() => undefined);
      let heard = false;
      report?.forEach((it: { type: string; packetsReceived?: number }) => {
        heard ||= it.type === 'inbound-rtp' && (it.packetsReceived ?? 0) > 0;
      });
      if (heard && this.#audioTimer !== undefined) {
        this.stopWatchingAudio();
        this.#handlers.path({ type: 'first_audio' });
      }
    }, AUDIO_POLL);
  }

  /** The accept came another way, or another device verified. */
  stopWatchingAudio(): void {
    clearInterval(this.#audioTimer);
    this.#audioTimer = undefined;
  }

  /** Closes with a DTLS close_notify, which is the goodbye that a browser can say. */
  close(): void {
    this.#closed = true;
    this.stopWatchingAudio();
    this.#pc.close();
  }

  /** Runs an operation after those before it. One that the browser refuses makes the path fail. */
  #run(operation: () => Promise<unknown>): void {
    this.#chain = this.#chain.then(async () => {
      try {
        if (!this.#closed) {
          await operation();
        }
      } catch {
        // Whatever the other side sent, or the browser cannot do: there is no path to this device.
        this.#fail('unreachable');
      }
    });
  }

  /**
   * Puts this end into force. Chromium would try what it gathers now with the candidates that the other side had before, too. Firefox
   * answers there, but takes no audio any more. A candidate with the new credentials makes Chromium forget the others; this one leads nowhere.
   */
  async #renew(before: unknown, ufrag: string, offer?: RTCLocalSessionDescriptionInit): Promise<void> {
    if (before) {
      const candidate = `candidate:0 1 udp 1 127.0.0.1 65535 typ host ufrag ${ufrag}`;
      await this.#pc.addIceCandidate({ candidate, sdpMLineIndex: 0 }).catch(() => undefined);
    }
    await this.#pc.setLocalDescription(offer);
    this.#watch();
  }

  /** Tells the other side of this end. What is found from now on is found for its credentials. */
  #describe(own: SessionDescription): void {
    this.local = new LocalCandidates();
    this.own = own;
    this.#handlers.describe(own);
  }

  async #apply(type: RTCSdpType, remote: SessionDescription): Promise<void> {
    const sdp = toSdp(remote, this.#transceiver?.mid ?? remote.mid, type === 'answer' ? this.own : undefined);
    await this.#pc.setRemoteDescription({ type, sdp });
    this.#watch();
  }

  #use(transceiver: RTCRtpTransceiver): void {
    this.#transceiver = transceiver;
    // RED first when both have it: a lost packet then costs nothing (RFC 2198). Everything but Opus is refused.
    const wanted = (RTCRtpReceiver.getCapabilities('audio')?.codecs ?? [])
      .filter(({ mimeType }) => /\/(red|opus)$/i.test(mimeType))
      .sort((one, other) => (one.mimeType < other.mimeType ? 1 : -1));
    if (wanted.length) {
      transceiver.setCodecPreferences?.(wanted);
    }
  }

  #useCandidates(): void {
    if (this.#checking && this.remote) {
      for (const text of this.#waiting.splice(0)) {
        const checked = text && candidate(text);
        // One that cannot be used is left out: others may do.
        this.#run(async () => checked === undefined || this.#pc.addIceCandidate({ candidate: checked, sdpMLineIndex: 0 }).catch(() => undefined));
      }
    }
  }

  /** The transport exists from the first description that is applied. */
  #watch(): void {
    const dtls = this.#transceiver?.sender.transport;
    if (dtls && dtls !== this.#dtls) {
      this.#dtls = dtls;
      dtls.addEventListener('statechange', () => this.#look());
    }
    this.#look();
  }

  /** Draws the conclusions from the states of the connection and of what is under it. */
  #look(): void {
    const { connectionState, iceConnectionState } = this.#pc;
    if (this.#closed) {
      return;
    }
    if (this.#dtls?.state === 'closed') {
      this.#end({ type: 'closed' });
    } else if (this.#dtls?.state === 'failed') {
      // ICE still carries, so it was the handshake: the certificate is not the signalled one (RFC 8122 §6.2).
      const reached = iceConnectionState === 'connected' || iceConnectionState === 'completed';
      this.#fail(reached && !this.isUp ? 'authentication' : 'unreachable');
    } else if (this.isUp) {
      // ICE may find another way; how long that is waited for is the call's business.
      const interrupted = connectionState !== 'connected';
      if (this.#interrupted !== interrupted && connectionState !== 'connecting') {
        this.#interrupted = interrupted;
        this.#handlers.interrupted(interrupted);
      }
    } else if (connectionState === 'connected') {
      this.isUp = true;
      this.#handlers.path({ type: 'up' });
    } else if (connectionState === 'failed') {
      this.#fail('unreachable');
    }
  }

  #fail(failure: 'unreachable' | 'authentication'): void {
    this.#end({ type: 'failed', failure });
  }

  /** The last thing that a path tells. */
  #end(event: PathEvent): void {
    if (!this.#closed) {
      this.close();
      this.isUp = false;
      this.#handlers.path(event);
    }
  }
}
