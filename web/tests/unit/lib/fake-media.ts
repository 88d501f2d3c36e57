/** Microphones, connections and audio elements that do what a test tells them to. */

import { chromiumAnswer, chromiumOffer } from './sdp-samples.js';

/** A track. */
export class FakeTrack extends EventTarget {
  readonly kind = 'audio';
  enabled = true;
  readyState = 'live';
  onended: (() => void) | null = null;

  constructor(readonly label = 'fake microphone') {
    super();
  }

  stop(): void {
    this.readyState = 'ended';
  }
}

/** A stream. */
export class FakeStream {
  constructor(readonly tracks: FakeTrack[] = [new FakeTrack()]) {}
  getAudioTracks(): FakeTrack[] {
    return this.tracks;
  }
  getTracks(): FakeTrack[] {
    return this.tracks;
  }
}

/** An error as browsers name it. */
export function browserError(name: string): Error {
  return Object.assign(new Error(`${name} happened`), { name });
}

/** The device side of the page. */
export class FakeDevices extends EventTarget {
  /** What the next `getUserMedia` does; the last one stays. */
  answers: (Error | Promise<FakeStream> | undefined)[] = [undefined];
  /** Constraints of each. */
  asked: MediaStreamConstraints[] = [];
  streams: FakeStream[] = [];

  async getUserMedia(constraints: MediaStreamConstraints): Promise<FakeStream> {
    this.asked.push(constraints);
    const answer = this.answers.length > 1 ? this.answers.shift() : this.answers[0];
    if (answer instanceof Error) throw answer;
    const stream = (await answer) ?? new FakeStream([new FakeTrack(`microphone ${this.asked.length}`)]);
    this.streams.push(stream);
    return stream;
  }
}

/** An audio element. */
export class FakeAudio {
  srcObject: FakeStream | null = null;
  muted = false;
  blocked = false;
  plays = 0;

  async play(): Promise<void> {
    this.plays += 1;
    if (this.blocked) throw browserError('NotAllowedError');
  }
}

/** A sender; remembers what it was given. */
export class FakeSender {
  track: FakeTrack | null = null;
  readonly transport = Object.assign(new EventTarget(), { state: 'new' });
  readonly replaced: (FakeTrack | null)[] = [];

  async replaceTrack(track: FakeTrack | null): Promise<void> {
    this.replaced.push(track);
    this.track = track;
  }
}

/** A connection. */
export class FakeConnection {
  /** Every one that was made. */
  static all: FakeConnection[] = [];
  /** How many can be made. */
  static limit = Infinity;
  static generateCertificate = async (): Promise<object> => ({ certificate: true });
  connectionState = 'new';
  iceConnectionState = 'new';
  signalingState = 'stable';
  localDescription: { type: string; sdp: string } | null = null;
  /** Of Opus, in offers. */
  payloadType = '111';
  /** Offers that were made, the first one included. */
  offers = 0;
  remote: { type: string; sdp: string }[] = [];
  candidates: string[] = [];
  refuses = false;
  /** Audio packets that came in. */
  packets = 0;
  configuration: RTCConfiguration;
  onicecandidate: ((event: { candidate: { candidate: string; protocol: string } | null }) => void) | undefined;
  onconnectionstatechange: (() => void) | undefined;
  oniceconnectionstatechange: (() => void) | undefined;
  readonly sender = new FakeSender();
  readonly receiver = { track: new FakeTrack('peer'), getStats: () => this.getStats() };
  readonly transceiver = { mid: '0', direction: 'recvonly', sender: this.sender, receiver: this.receiver };
  #transceivers: unknown[] = [];
  #restarts = 0;

  constructor(configuration: RTCConfiguration) {
    const urls = (configuration.iceServers ?? []).flatMap((server) => server.urls);
    if (urls.some((url) => !/^(stun|turn):/.test(url)) || FakeConnection.all.length >= FakeConnection.limit) {
      throw browserError('SyntaxError');
    }
    this.configuration = configuration;
    FakeConnection.all.push(this);
  }

  addTransceiver(_kind: string, { direction }: { direction: string }): unknown {
    this.transceiver.direction = direction;
    this.#transceivers.push(this.transceiver);
    return this.transceiver;
  }

  getTransceivers(): unknown[] {
    return this.#transceivers;
  }

  setConfiguration(configuration: RTCConfiguration): void {
    this.configuration = configuration;
  }

  async createOffer({ iceRestart = false } = {}): Promise<{ type: string; sdp: string }> {
    this.#restarts += iceRestart ? 1 : 0;
    return { type: 'offer', sdp: this.#fresh(chromiumOffer).replace(/\b111(?!\/)\b/g, this.payloadType) };
  }

  async setLocalDescription(description?: { type: string; sdp: string }): Promise<void> {
    const answers = this.signalingState === 'have-remote-offer';
    if (!description && !answers) throw browserError('InvalidStateError');
    if (description && answers) throw browserError('InvalidStateError');
    // An answer to a restart has fresh credentials as well.
    if (answers && this.remote.length > 1) this.#restarts += 1;
    this.offers += answers ? 0 : 1;
    this.signalingState = answers ? 'stable' : 'have-local-offer';
    this.localDescription = description ?? { type: 'answer', sdp: this.#fresh(chromiumAnswer.replaceAll('109', '111')) };
  }

  async setRemoteDescription(description: { type: string; sdp: string }): Promise<void> {
    if (this.refuses) throw browserError('InvalidAccessError');
    if ((description.type === 'offer') !== (this.signalingState === 'stable')) throw browserError('InvalidStateError');
    this.signalingState = description.type === 'offer' ? 'have-remote-offer' : 'stable';
    this.remote.push(description);
    if (description.type === 'offer' && this.#transceivers.length === 0) this.#transceivers.push(this.transceiver);
  }

  /** With the credentials of the present generation. */
  #fresh(sdp: string): string {
    return this.#restarts ? sdp.replace(/a=ice-ufrag:.*/, `a=ice-ufrag:again${this.#restarts}`) : sdp;
  }

  async addIceCandidate({ candidate }: { candidate: string }): Promise<void> {
    this.candidates.push(candidate);
  }

  async getStats(): Promise<Map<string, object>> {
    const source = { id: 's', type: 'media-source', kind: 'audio', audioLevel: 0.1 };
    return new Map<string, object>([['s', source], ['i', { id: 'i', type: 'inbound-rtp', kind: 'audio', packetsReceived: this.packets, audioLevel: 0.1 }]]);
  }

  close(): void {
    this.connectionState = 'closed';
  }

  /** The browser found a way to be reached; `null`: that was the last one. */
  gather(text: string | null, protocol = 'udp'): void {
    this.onicecandidate?.({ candidate: text === null ? null : { candidate: text, protocol } });
  }

  /** The states change. */
  become(state: { connection?: string; ice?: string; dtls?: string }): void {
    this.iceConnectionState = state.ice ?? this.iceConnectionState;
    this.connectionState = state.connection ?? this.connectionState;
    if (state.dtls) {
      this.sender.transport.state = state.dtls;
      this.sender.transport.dispatchEvent(new Event('statechange'));
    }
    this.oniceconnectionstatechange?.();
    this.onconnectionstatechange?.();
  }

  /** The path is up. */
  up(): void {
    this.become({ connection: 'connected', ice: 'connected', dtls: 'connected' });
  }
}

/** Puts fresh devices in place of the globals. */
export function fakeMedia(): FakeDevices {
  const devices = new FakeDevices();
  FakeConnection.all = [];
  FakeConnection.limit = Infinity;
  Object.defineProperty(globalThis, 'navigator', { value: { mediaDevices: devices }, configurable: true });
  const codecs = ['audio/opus', 'audio/red', 'audio/PCMU'].map((mimeType) => ({ mimeType, clockRate: 48_000 }));
  Object.assign(globalThis, {
    RTCPeerConnection: FakeConnection,
    RTCRtpReceiver: { getCapabilities: () => ({ codecs }) },
    MediaStream: FakeStream,
  });
  return devices;
}
