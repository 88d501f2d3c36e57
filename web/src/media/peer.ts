/** The media path to one device of the peer: one RTCPeerConnection. */

import type { PathEvent } from '../signaling/types.js';
import type { SessionDescription } from '../signaling/messages.js';
import { LocalCandidates, RemoteCandidates } from './candidates.js';
import { fromSdp, toSdp } from './sdp.js';

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
}

/** One path. Its operations run one after the other. */
export class PeerPath {
  /** The peer's device. The caller does not know it before the first device has verified. */
  party: number | undefined;
  /** Encrypted both ways, with the certificate that was signalled: the browser compares them (RFC 8122 §6.2). */
  isUp = false;
  /** The other side was told of this end. */
  described = false;
  /** Ways to reach this end. */
  readonly local = new LocalCandidates();

  readonly #pc: RTCPeerConnection;
  readonly #configuration: RTCConfiguration;
  readonly #handlers: PeerHandlers;
  #transceiver: RTCRtpTransceiver | undefined;
  #dtls: RTCDtlsTransport | undefined;
  #chain: Promise<void> = Promise.resolve();
  #offer: RTCSessionDescriptionInit | undefined;
  #remote: SessionDescription | undefined;
  #remoteApplied = false;
  readonly #remoteCandidates = new RemoteCandidates((candidate) => {
    // One that cannot be used is left out: others may do.
    this.#pc.addIceCandidate({ candidate, sdpMLineIndex: 0 }).catch(() => undefined);
  });
  #checking = false;
  #closed = false;
  #interrupted = false;
  #track: MediaStreamTrack | null = null;
  #play: ((track: MediaStreamTrack) => void) | undefined;
  #audioTimer: ReturnType<typeof setInterval> | undefined;

  /**
   * @param certificate of the call: the same on every path
   * @param iceServers for candidates beyond the own interfaces
   * @param handlers what is to be called
   */
  constructor(certificate: RTCCertificate, iceServers: RTCIceServer[], handlers: PeerHandlers) {
    this.#handlers = handlers;
    this.#configuration = { certificates: [certificate], iceServers, bundlePolicy: 'max-bundle' };
    const pc = new RTCPeerConnection(this.#configuration);
    this.#pc = pc;
    pc.onicecandidate = ({ candidate }) => {
      if (!this.#closed) {
        this.local.note(candidate);
        handlers.candidates();
      }
    };
    pc.onconnectionstatechange = () => this.#look();
    pc.oniceconnectionstatechange = () => this.#look();
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
    this.described = true;
    return fromSdp(this.#offer.sdp ?? '', 0);
  }

  /** Caller: begins to gather, now that the servers for it are known. */
  gather(iceServers: RTCIceServer[]): void {
    this.#run(async () => {
      if (iceServers.length > 0) {
        this.#pc.setConfiguration({ ...this.#configuration, iceServers });
      }
      await this.#pc.setLocalDescription(this.#offer);
      this.#watch();
    });
  }

  /** Caller: the other side's answer. Only the first one counts. */
  setAnswer(description: SessionDescription): void {
    if (this.#setRemote(description)) {
      this.#run(() => this.#apply('answer', description, this.#transceiver?.mid ?? '0'));
    }
  }

  /**
   * Callee: answers the other side's description, and begins to gather. Only the first one counts.
   *
   * @param tell is given this end
   */
  answer(description: SessionDescription, tell: (own: SessionDescription) => void): void {
    if (!this.#setRemote(description)) {
      return;
    }
    this.#run(async () => {
      await this.#apply('offer', description, description.mid);
      const [transceiver] = this.#pc.getTransceivers();
      if (!transceiver) {
        throw new Error('no audio');
      }
      this.#use(transceiver);
      transceiver.direction = 'sendrecv';
      await transceiver.sender.replaceTrack(this.#track);
      this.#play?.(transceiver.receiver.track);
      await this.#pc.setLocalDescription();
      this.#watch();
      this.described = true;
      tell(fromSdp(this.#pc.localDescription?.sdp ?? '', description.generation));
      this.#handlers.candidates();
    });
  }

  /** More candidates of the other side. They are kept until {@link allowChecks}. */
  addCandidates(generation: number, candidates: string[], end: boolean): void {
    if (this.#remote && generation !== this.#remote.generation) {
      return;
    }
    this.#remoteCandidates.add(candidates, end);
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

  #setRemote(description: SessionDescription): boolean {
    if (this.#remote || this.#closed) {
      return false;
    }
    this.#remote = description;
    this.addCandidates(description.generation, description.candidates, description.end_of_candidates);
    return true;
  }

  async #apply(type: RTCSdpType, description: SessionDescription, mid: string): Promise<void> {
    const sdp = toSdp(description, mid);
    if (sdp === undefined) {
      throw new Error('no audio');
    }
    await this.#pc.setRemoteDescription({ type, sdp });
    this.#remoteApplied = true;
    this.#watch();
    this.#useCandidates();
  }

  #use(transceiver: RTCRtpTransceiver): void {
    this.#transceiver = transceiver;
    // RED first when both have it: a lost packet then costs nothing (RFC 2198). Everything but Opus is refused.
    const wanted = ['audio/red', 'audio/opus'].flatMap((type) =>
      (RTCRtpReceiver.getCapabilities('audio')?.codecs ?? []).filter((codec) => codec.mimeType.toLowerCase() === type),
    );
    if (wanted.length > 0) {
      transceiver.setCodecPreferences?.(wanted);
    }
  }

  #useCandidates(): void {
    if (this.#checking && this.#remoteApplied && !this.#closed) {
      this.#remoteCandidates.open();
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
    } else if (connectionState === 'failed') {
      this.#fail('unreachable');
    } else if (connectionState === 'connected') {
      if (!this.isUp) {
        this.isUp = true;
        this.#handlers.path({ type: 'up' });
      }
      this.#interrupt(false);
    } else if (connectionState === 'disconnected') {
      this.#interrupt(true);
    }
  }

  #interrupt(interrupted: boolean): void {
    if (this.isUp && this.#interrupted !== interrupted) {
      this.#interrupted = interrupted;
      this.#handlers.interrupted(interrupted);
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
