/** A call under test: the SDK between a fake page and a fake server. */

import { Call } from '../../../src/call.js';
import type { CallOptions, MakeCallParams, VerifyCallParams } from '../../../src/params.js';
import { fromSdp } from '../../../src/media/sdp.js';
import type { SessionDescription } from '../../../src/signaling/messages.js';
import { FakeAudio, FakeConnection, fakeMedia, type FakeDevices } from './fake-media.js';
import { fakePage, type FakePage } from './page.js';
import { chromiumAnswer, chromiumOffer } from './sdp-samples.js';

/** Events of one call, as `[name, parameter]`. */
export type Events = [string, unknown][];

export const SID = '01234567-89ab-4cde-8f01-23456789abcd';
const NAMES = [
  ...['WaitConnected', 'Verified', 'Connected', 'Disconnected', 'PeerMicMuted', 'PeerMicUnmuted', 'PeerHold', 'PeerUnhold'],
  ...['NetworkUnavailable', 'NetworkReavailable', 'Quality', 'MyAudioDescription', 'PeerAudioDescription', 'PlaybackBlocked', 'AudioDevice', 'Verifiable'],
];

/** The other side, as the server passes it on. */
export const theirs = (type: 'offer' | 'answer', party: number, candidates: string[] = []): SessionDescription => ({
  ...fromSdp(type === 'offer' ? chromiumOffer : chromiumAnswer.replaceAll('109', '111'), 0),
  party,
  candidates,
});

/** A `cc_param` that can be read. */
export const CC_PARAM = Buffer.from(
  JSON.stringify({ v: 1, sid: SID, exp: 2e9, cu: 'bob', cs: 'demo', eu: 'alice', es: 'demo', type: 'audio', kid: 1, mac: 'm' }),
).toString('base64url');

let users = 0;

/** Everything that a test needs. */
export class Telephone {
  readonly page: FakePage = fakePage();
  readonly devices: FakeDevices = fakeMedia();
  readonly audio = new FakeAudio();
  readonly events: Events = [];
  readonly errors: unknown[] = [];
  /** Handlers that are run instead of only being noted. */
  readonly handlers: Record<string, (param: unknown) => void> = {};
  readonly call: Call;
  /** Another user for each test: calls that a test leaves behind are nobody else's. */
  readonly me = `user${++users}`;

  constructor(options?: CallOptions) {
    this.call = new Call(options);
    Object.assign(globalThis, { reportError: (error: unknown) => this.errors.push(error) });
  }

  get delegate(): Record<string, (param: unknown) => void> {
    const note = (name: string) => (param: unknown) => {
      this.events.push([name, param]);
      this.handlers[name]?.(param);
    };
    return Object.fromEntries(NAMES.map((name) => [`evt${name}`, note(name)]));
  }

  makeParams(changes: object = {}): MakeCallParams {
    const media = { mediaType: 'audio', mediaHtmlElement: { peer: { audio: this.audio } }, statsInterval: 0, audioDescriptionInterval: 0 };
    const who = { myId: this.me, myServiceId: 'demo', peerId: 'bob', peerServiceId: 'demo', accessToken: 't' };
    return { ...who, ...media, delegate: this.delegate, ...changes } as unknown as MakeCallParams;
  }

  verifyParams(changes: object = {}): VerifyCallParams {
    const { peerId: _, peerServiceId: __, accessToken: ___, ...common } = this.makeParams();
    return { ...common, ccParam: CC_PARAM, ...changes } as unknown as VerifyCallParams;
  }

  /** Connections of this call, oldest first. */
  get connections(): FakeConnection[] {
    return FakeConnection.all;
  }

  /** Names of the events so far. */
  get names(): string[] {
    return this.events.map(([name]) => name);
  }

  /** Types of the messages that the server heard. */
  get said(): string[] {
    return this.page.server.heard.map(({ type }) => type);
  }

  /** The messages of a type that the server heard. */
  heard(type: string): Record<string, unknown>[] {
    return this.page.server.heard.filter((it) => it.type === type) as unknown as Record<string, unknown>[];
  }

  /** Makes a call that rings at one device of the callee, whose path is up. */
  async ring(): Promise<FakeConnection> {
    await this.call.makeCall(this.makeParams());
    await this.page.pass(50);
    const { server } = this.page;
    server.say({ type: 'call_created', sid: SID });
    server.say({ type: 'wait_connected' });
    server.say({ type: 'peer_verified', party: 1, describe: false });
    server.say({ type: 'description', party: 1, description: theirs('answer', 1) });
    await this.page.pass(50);
    const connection = this.connections[0] as FakeConnection;
    connection.up();
    await this.page.pass(50);
    return connection;
  }

  /** A call that is connected, seen by the caller. */
  async connect(): Promise<FakeConnection> {
    const connection = await this.ring();
    this.page.server.say({ type: 'accepted', party: 1, call_start_message: 'hello' });
    await this.page.pass(50);
    return connection;
  }

  /** A call that may be accepted, seen by the callee. */
  async verified(changes: object = {}, candidates: string[] = []): Promise<void> {
    await this.call.verifyCall(this.verifyParams(changes));
    await this.page.pass(50);
    this.page.server.say({
      type: 'verified',
      sid: SID,
      party: 1,
      caller: { user_id: 'bob', service_id: 'demo' },
      media_type: 'audio',
      call_start_message: 'hi',
      description: theirs('offer', 0),
      candidates,
      end_of_candidates: false,
    });
    await this.page.pass(50);
  }
}
