import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Call } from '../../src/call.js';
import { CallError } from '../../src/errors.js';
import { FakeConnection, FakeStream, FakeTrack, browserError } from './lib/fake-media.js';
import { settle } from './lib/page.js';
import { SID, Telephone, theirs } from './lib/telephone.js';

const HOST = 'candidate:1 1 udp 2130706431 192.0.2.1 40000 typ host';

async function rejection(promise: Promise<unknown>): Promise<CallError> {
  const error: unknown = await promise.then(
    () => assert.fail('it was not rejected'),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof CallError && error instanceof Error, String(error));
  assert.ok(error.message.length > 5);
  return error;
}

test('what is wrong with the parameters rejects the start, and it may be tried again', async () => {
  const phone = new Telephone();
  const wrong: [object, string][] = [
    [{ myId: '' }, 'invalid_user_id'],
    [{ peerId: 'a b' }, 'invalid_user_id'],
    [{ peerServiceId: undefined }, 'invalid_service_id'],
    [{ peerId: phone.me }, 'id_conflict'],
    [{ accessToken: undefined }, 'invalid_param'],
    [{ mediaType: 'video' }, 'invalid_param'],
    [{ appServerData: 'é'.repeat(2048) }, 'too_long_app_server_data'],
    [{ callStartMessage: 'x'.repeat(200) }, 'invalid_param'],
    [{ mediaHtmlElement: undefined }, 'invalid_param'],
    [{ mediaHtmlElement: { peer: { audio: null } } }, 'invalid_param'],
    [{ audioInput: new FakeStream([]) }, 'invalid_param'],
  ];
  for (const [change, reason] of wrong) {
    assert.equal((await rejection(phone.call.makeCall(phone.makeParams(change)))).reason, reason, JSON.stringify(change));
  }
  assert.equal((await rejection(phone.call.verifyCall(phone.verifyParams({ ccParam: 'forged' })))).reason, 'decode_call_param');
  assert.equal((await rejection(phone.call.makeCall(undefined as never))).reason, 'invalid_user_id');
  assert.equal(phone.call.state, 'idle');
  assert.equal(phone.devices.asked.length, 0);
  await phone.call.makeCall(phone.makeParams({ appServerData: 'é'.repeat(2047) }));
  await phone.page.pass(100);
  assert.equal(phone.heard('make_call')[0]?.['app_server_data'], 'é'.repeat(2047));
  assert.deepEqual(phone.events, []);
});

test('a microphone that cannot be had says what helps, and it may be tried again', async () => {
  const phone = new Telephone();
  phone.devices.answers = [...['NotAllowedError', 'SecurityError', 'NotFoundError', 'OverconstrainedError', 'NotReadableError', 'Odd'].map(browserError), undefined];
  const reasons = [];
  const advice = new Set<string>();
  for (let at = 0; at < 6; at += 1) {
    const error = await rejection(phone.call.makeCall(phone.makeParams()));
    reasons.push(error.reason);
    advice.add(error.message);
    assert.ok(error.cause instanceof Error);
  }
  const [denied, failed] = ['no_permission_record_audio', 'audio_input_device_fail'];
  assert.deepEqual(reasons, [denied, denied, failed, failed, failed, failed]);
  assert.equal(advice.size, 4);
  await phone.call.makeCall(phone.makeParams());
  assert.equal(phone.call.state, 'trying');
});

test('a page without WebRTC or without https is told so', async () => {
  const phone = new Telephone();
  Object.defineProperty(globalThis, 'navigator', { value: {}, configurable: true });
  const insecure = await rejection(phone.call.makeCall(phone.makeParams()));
  assert.equal(insecure.reason, 'internal_initialization_error');
  assert.match(insecure.message, /https/);
  Reflect.deleteProperty(globalThis, 'RTCPeerConnection');
  assert.match((await rejection(phone.call.makeCall(phone.makeParams()))).message, /WebRTC/);
});

test('an object serves for one call, and a user has one', async () => {
  const phone = new Telephone();
  const started = phone.call.makeCall(phone.makeParams());
  assert.equal((await rejection(phone.call.makeCall(phone.makeParams()))).reason, 'already_exist');
  await started;
  const other = new Call();
  assert.equal((await rejection(other.makeCall(phone.makeParams()))).reason, 'already_exist');
  await phone.page.pass(100);
  assert.equal((await rejection(phone.call.makeCall(phone.makeParams()))).reason, 'already_exist');
  await phone.call.endCall();
  assert.equal((await rejection(phone.call.makeCall(phone.makeParams()))).reason, 'reuse');
  assert.equal((await rejection(phone.call.verifyCall(phone.verifyParams()))).reason, 'reuse');
  await other.makeCall(phone.makeParams());
});

test('nothing is told before the promise has settled', async () => {
  for (const how of ['await', 'then']) {
    const phone = new Telephone({ serverUrl: 'nonsense://x' });
    const order: string[] = [];
    phone.handlers['Disconnected'] = () => order.push('disconnected');
    if (how === 'await') {
      await phone.call.makeCall(phone.makeParams());
      order.push('resolved');
    } else {
      void phone.call.makeCall(phone.makeParams()).then(() => order.push('resolved'));
    }
    await settle();
    assert.deepEqual(order, ['resolved', 'disconnected']);
    const [[, param]] = phone.events as [[string, { reason: { strCode: string } }]];
    assert.equal(param.reason.strCode, 'SERVICE_HTTP_INVALID_URL');
    assert.equal(phone.devices.streams[0]?.tracks[0]?.readyState, 'ended');
  }
});

test('a caller\'s call, from start to end', async () => {
  const phone = new Telephone();
  const connection = await phone.ring();
  assert.deepEqual(phone.names, ['WaitConnected']);
  assert.equal(phone.call.state, 'wait_answer');
  assert.equal(phone.call.sid, SID);
  // Not a packet before the accept: there is no track, not even a silent one.
  assert.equal(connection.sender.track, null);
  const heard = (): FakeStream | null => phone.audio.srcObject;
  assert.equal(heard(), null);
  assert.equal(phone.call.getCallDuration(), -1);

  phone.page.server.say({ type: 'accepted', party: 1, call_start_message: 'hello' });
  await phone.page.pass(50);
  assert.deepEqual(phone.events.at(-1), ['Connected', { callStartMessage: 'hello' }]);
  assert.equal(connection.sender.track, phone.devices.streams[0]?.tracks[0]);
  assert.deepEqual(heard()?.tracks, [connection.receiver.track]);
  await phone.page.pass(2_000);
  assert.equal(phone.call.getCallDuration(), 2_000);

  await phone.call.endCall('done');
  await phone.page.pass(100);
  assert.deepEqual(phone.events.at(-1), ['Disconnected', { source: 'caller', reason: { code: 1001, strCode: 'NORMAL' }, byRemote: false, userCode: undefined }]);
  assert.deepEqual(phone.heard('end'), [{ type: 'end', reason: 1001, user_code: 'done', by_remote: false }]);
  assert.deepEqual(phone.said, ['make_call', 'connected', 'end']);
  assert.equal(connection.connectionState, 'closed');
  assert.equal(phone.devices.streams[0]?.tracks[0]?.readyState, 'ended');
  assert.equal(phone.audio.srcObject, null);
  assert.equal(phone.call.getCallDuration(), 2_000);
  assert.equal((await rejection(phone.call.endCall())).reason, 'invalid_state');
  const events = phone.events.length;
  connection.become({ connection: 'failed', dtls: 'failed' });
  connection.gather(HOST);
  await phone.page.pass(120_000);
  assert.equal(phone.events.length, events);
  assert.ok(phone.page.server.sockets.every(({ readyState }) => readyState === 3));
});

test('a callee\'s call: prepared, accepted with a text, ended by the other side', async () => {
  const phone = new Telephone();
  await phone.verified({}, [HOST]);
  const [connection] = phone.connections;
  assert.ok(connection);
  assert.match(connection.remote[0]?.sdp ?? '', /a=setup:actpass/);
  assert.equal(phone.heard('description').length, 1);
  assert.deepEqual(connection.candidates, [HOST]);
  connection.gather(HOST);
  connection.gather('candidate:2 1 tcp 1 192.0.2.1 9 typ host tcptype active', 'tcp');
  connection.gather(null);
  await phone.page.pass(50);
  assert.deepEqual(phone.heard('candidates').flatMap((it) => it['candidates']), [HOST]);
  assert.equal(phone.heard('candidates').at(-1)?.['end'], true);
  assert.equal((await rejection(phone.call.acceptCall())).reason, 'invalid_state');
  connection.up();
  await phone.page.pass(50);
  const verified = { sid: SID, callerId: 'bob', callerServiceId: 'demo', callStartMessage: 'hi', preConnected: true };
  assert.deepEqual(phone.events, [['Verified', verified]]);

  assert.equal((await rejection(phone.call.acceptCall(true))).reason, 'not_supported');
  assert.equal((await rejection(phone.call.acceptCall({ callStartMessage: 'x'.repeat(200) }))).reason, 'invalid_param');
  assert.equal(connection.sender.track, null);
  await phone.call.acceptCall({ callStartMessage: 'welcome' });
  await phone.page.pass(50);
  assert.deepEqual(phone.heard('accept'), [{ type: 'accept', call_start_message: 'welcome' }]);
  assert.equal(phone.names.at(-1), 'Connected');
  assert.ok(connection.sender.track);
  phone.page.server.say({ type: 'ended', reason: 1001, source: 2, user_code: 'bye' });
  await phone.page.pass(50);
  assert.deepEqual(phone.events.at(-1)?.[1], { source: 'caller', reason: { code: 1001, strCode: 'NORMAL' }, byRemote: true, userCode: 'bye' });
});

test('without pre-connecting no address is shown before the accept', async () => {
  const phone = new Telephone({ preConnect: false });
  await phone.verified({}, [HOST]);
  const [connection] = phone.connections;
  assert.ok(connection);
  connection.gather('candidate:9 1 udp 1 198.51.100.1 5 typ host');
  await phone.page.pass(50);
  assert.deepEqual(phone.names, ['Verified']);
  assert.deepEqual(phone.heard('candidates'), []);
  assert.deepEqual(connection.candidates, []);
  assert.ok(!JSON.stringify(phone.page.server.heard).includes('198.51.100.1'));
  await phone.call.acceptCall();
  await phone.page.pass(50);
  assert.deepEqual(connection.candidates, [HOST]);
  assert.equal(phone.heard('candidates').length, 1);
});

test('audio of the only device that verified is its accept; with two devices the server decides', async () => {
  const alone = new Telephone();
  const connection = await alone.ring();
  await alone.page.pass(1_000);
  assert.deepEqual(alone.names, ['WaitConnected']);
  connection.packets = 1;
  await alone.page.pass(1_000);
  assert.deepEqual(alone.names, ['WaitConnected', 'Connected']);
  assert.deepEqual(alone.said, ['make_call', 'accepted_by_media', 'connected']);

  const two = new Telephone();
  const first = await two.ring();
  two.page.server.say({ type: 'peer_verified', party: 2, describe: true });
  await two.page.pass(50);
  const [, second] = two.connections;
  assert.ok(second);
  assert.equal(two.heard('description')[0]?.['party'], 2);
  two.page.server.say({ type: 'description', party: 2, description: theirs('answer', 2, [HOST]) });
  await two.page.pass(50);
  assert.deepEqual(second.candidates, [HOST]);
  second.up();
  first.packets = second.packets = 9;
  await two.page.pass(5_000);
  assert.deepEqual(two.names, ['WaitConnected']);
  two.page.server.say({ type: 'accepted', party: 2, call_start_message: null });
  await two.page.pass(50);
  assert.equal(first.connectionState, 'closed');
  assert.equal(first.sender.track, null);
  assert.ok(second.sender.track);
  assert.deepEqual(two.audio.srcObject?.tracks, [second.receiver.track]);
  assert.equal(two.names.at(-1), 'Connected');
});

test('a handler that throws is reported, and breaks nothing', async () => {
  const phone = new Telephone();
  const fault = new Error('the application is broken');
  phone.handlers['WaitConnected'] = phone.handlers['Connected'] = () => {
    throw fault;
  };
  await phone.connect();
  assert.deepEqual(phone.errors, [fault, fault]);
  await phone.call.endCall();
  await settle();
  assert.deepEqual(phone.names, ['WaitConnected', 'Connected', 'Disconnected']);
});

test('mute is silence and a word to the peer; hold is nothing at all', async () => {
  const phone = new Telephone();
  assert.equal((await rejection(phone.call.muteMyAudio(true))).reason, 'invalid_state');
  const { sender } = await phone.ring();
  assert.equal((await rejection(phone.call.hold())).reason, 'invalid_state');
  phone.page.server.say({ type: 'accepted', party: 1, call_start_message: null });
  await phone.page.pass(50);
  const track = phone.devices.streams[0]?.tracks[0] as FakeTrack;
  await phone.call.muteMyAudio(true);
  assert.equal(track.enabled, false);
  assert.equal(sender.track, track);
  await phone.call.hold('é'.repeat(200));
  await phone.page.pass(50);
  assert.equal(sender.track, null);
  assert.equal(phone.audio.muted, true);
  assert.deepEqual(phone.heard('hold'), [{ type: 'hold', held: true, reason: 'é'.repeat(128) }]);
  await phone.call.unhold();
  await phone.call.muteMyAudio(false);
  await phone.page.pass(50);
  assert.equal(sender.track, track);
  assert.equal(track.enabled, true);
  assert.equal(phone.audio.muted, false);
  phone.call.silencePeerAudio(true);
  assert.equal(phone.audio.muted, true);
  phone.call.silencePeerAudio(false);

  for (const message of [{ type: 'peer_muted', muted: true }, { type: 'peer_muted', muted: false }]) phone.page.server.say(message);
  await phone.page.pass(50);
  assert.deepEqual(phone.names.slice(-2), ['PeerMicMuted', 'PeerMicUnmuted']);
});

test('a restless finger does not fill the queue of a server that is away', async () => {
  const phone = new Telephone();
  await phone.connect();
  phone.page.server.reachable = false;
  phone.page.server.break();
  await settle();
  for (let at = 0; at < 1_001; at += 1) await phone.call.muteMyAudio(at % 2 === 0);
  phone.page.server.reachable = true;
  await phone.page.pass(5_000);
  assert.deepEqual(phone.heard('mute'), [{ type: 'mute', muted: true }]);
  await phone.call.endCall();
  await phone.page.pass(100);
  assert.equal(phone.said.at(-1), 'end');
});

test('an unplugged microphone is replaced by another one, or the user hears of it', async () => {
  const phone = new Telephone();
  const { sender } = await phone.connect();
  const first = phone.devices.streams[0]?.tracks[0] as FakeTrack;
  await phone.call.muteMyAudio(true);
  first.onended?.();
  await settle();
  const second = phone.devices.streams[1]?.tracks[0] as FakeTrack;
  assert.equal(sender.track, second);
  assert.equal(second.enabled, false);
  assert.deepEqual(phone.events.slice(-2).map(([name, param]) => [name, (param as { kind: string }).kind]), [['AudioDevice', 'lost'], ['AudioDevice', 'changed']]);

  phone.devices.answers = [browserError('NotFoundError')];
  second.onended?.();
  await settle();
  assert.equal((phone.events.at(-1)?.[1] as { kind: string }).kind, 'lost');
  assert.equal(phone.call.state, 'connected');

  phone.devices.answers = [undefined];
  await phone.call.setAudioInput('usb');
  assert.deepEqual((phone.devices.asked.at(-1)?.audio as MediaTrackConstraints).deviceId, { exact: 'usb' });
  assert.equal(sender.track, phone.devices.streams.at(-1)?.tracks[0]);
  assert.equal((await rejection(phone.call.setAudioOutput('x'))).reason, 'not_supported');
});

test('a stream of the application is used and left alone', async () => {
  const phone = new Telephone();
  const own = new FakeStream();
  await phone.call.makeCall(phone.makeParams({ audioInput: own }));
  assert.equal(phone.devices.asked.length, 0);
  await phone.page.pass(50);
  await phone.call.muteMyAudio(true);
  // It ends: that is told, but nobody opens a microphone in its place.
  own.tracks[0]?.onended?.();
  await settle();
  assert.deepEqual(phone.names, ['AudioDevice']);
  assert.equal(phone.devices.asked.length, 0);
  await phone.call.endCall();
  assert.equal(own.tracks[0]?.readyState, 'live');
  assert.equal(own.tracks[0]?.enabled, true);
});

test('after the call its devices are nobody\'s business', async () => {
  const phone = new Telephone();
  await phone.connect();
  await phone.call.endCall();
  const asked = phone.devices.asked.length;
  assert.equal((await rejection(phone.call.setAudioInput('usb'))).reason, 'invalid_state');
  assert.equal(phone.devices.asked.length, asked);
  phone.call.silencePeerAudio(true);
  assert.equal(phone.audio.muted, false);
});

test('an address of a server that the browser does not take is left out', async () => {
  const phone = new Telephone();
  phone.page.server.iceServers = [{ urls: ['stun:192.0.2.1:3478'] }, { urls: ['nonsense'] }, { urls: ['turn:192.0.2.1'], username: 'u', credential: 'c' }];
  await phone.call.makeCall(phone.makeParams());
  await phone.page.pass(50);
  assert.deepEqual(phone.connections[0]?.configuration.iceServers, [
    { urls: ['stun:192.0.2.1:3478'] },
    { urls: ['turn:192.0.2.1'], username: 'u', credential: 'c' },
  ]);
  assert.ok(phone.connections[0]?.localDescription);
});

test('a browser that makes no further connection leaves the call to the devices that have one', async () => {
  const phone = new Telephone();
  await phone.ring();
  FakeConnection.limit = phone.connections.length;
  phone.page.server.say({ type: 'peer_verified', party: 2, describe: true });
  await phone.page.pass(50);
  phone.page.server.say({ type: 'accepted', party: 1, call_start_message: null });
  await phone.page.pass(50);
  assert.equal(phone.names.at(-1), 'Connected');
  assert.deepEqual(phone.errors, []);
});

test('a browser that plays nothing before a touch is helped by one', async () => {
  const phone = new Telephone();
  phone.audio.blocked = true;
  await phone.connect();
  const [, blocked] = phone.events.find(([name]) => name === 'PlaybackBlocked') as [string, { resume(): Promise<void> }];
  await assert.rejects(blocked.resume());
  phone.audio.blocked = false;
  await blocked.resume();
  assert.equal(phone.audio.plays, 3);
});

test('an interrupted path comes back, or the call ends when it was said to', async () => {
  const phone = new Telephone();
  const connection = await phone.connect();
  connection.become({ connection: 'disconnected', ice: 'disconnected' });
  await phone.page.pass(9_000);
  connection.become({ connection: 'connected', ice: 'connected' });
  await phone.page.pass(20_000);
  assert.deepEqual(phone.events.slice(-2), [['NetworkUnavailable', { isPeer: false, willDisconnectSec: 10 }], ['NetworkReavailable', { isPeer: false }]]);
  connection.become({ connection: 'disconnected', ice: 'disconnected' });
  await phone.page.pass(9_900);
  assert.equal(phone.call.state, 'connected');
  await phone.page.pass(200);
  assert.equal((phone.events.at(-1)?.[1] as { reason: { strCode: string } }).reason.strCode, 'UNAVAILABLE_NETWORK');
});

test('the end of the path: a close is the goodbye, another certificate an attack', async () => {
  const closed = new Telephone();
  (await closed.connect()).become({ dtls: 'closed' });
  await closed.page.pass(1_900);
  assert.equal(closed.call.state, 'connected');
  await closed.page.pass(200);
  assert.deepEqual(closed.events.at(-1)?.[1], { source: 'callee', reason: { code: 1001, strCode: 'NORMAL' }, byRemote: true, userCode: undefined });

  const away = new Telephone();
  const connection = await away.connect();
  away.page.server.reachable = false;
  away.page.server.break();
  await settle();
  connection.become({ dtls: 'closed' });
  await settle();
  assert.equal(away.names.at(-1), 'Disconnected');

  const attacked = new Telephone();
  await attacked.verified();
  attacked.connections[0]?.become({ ice: 'connected', connection: 'failed', dtls: 'failed' });
  await settle();
  assert.equal((attacked.events.at(-1)?.[1] as { reason: { strCode: string } }).reason.strCode, 'AUTH_ERROR');
  assert.equal(attacked.audio.srcObject, null);
});

test('a description that the browser refuses leaves the call without a path, and no longer', async () => {
  const phone = new Telephone();
  await phone.call.makeCall(phone.makeParams());
  await phone.page.pass(50);
  (phone.connections[0] as { refuses: boolean }).refuses = true;
  phone.page.server.say({ type: 'call_created', sid: SID });
  phone.page.server.say({ type: 'peer_verified', party: 1, describe: false });
  phone.page.server.say({ type: 'description', party: 1, description: theirs('answer', 1) });
  phone.page.server.say({ type: 'accepted', party: 1, call_start_message: null });
  await phone.page.pass(16_000);
  assert.deepEqual(phone.names, ['WaitConnected', 'Disconnected']);
  assert.equal((phone.events.at(-1)?.[1] as { reason: { strCode: string } }).reason.strCode, 'NETWORK_UNSTABLE');
});

test('a call that is ended while the microphone is asked for never begins', async () => {
  const phone = new Telephone();
  let grant: (stream: FakeStream) => void = () => undefined;
  phone.devices.answers = [new Promise((resolve) => (grant = resolve))];
  const started = phone.call.makeCall(phone.makeParams());
  await phone.call.endCall();
  const late = new FakeStream();
  grant(late);
  await rejection(started);
  assert.equal(late.tracks[0]?.readyState, 'ended');
  assert.ok(phone.connections.every(({ connectionState }) => connectionState === 'closed'));
  await phone.page.pass(100);
  assert.equal(phone.page.server.sockets.length, 0);
  assert.equal(phone.call.state, 'idle');
});

test('a page that is closed takes its call with it; one that is kept does not', async () => {
  const phone = new Telephone();
  await phone.connect();
  phone.page.wake('pagehide', { persisted: true });
  await settle();
  assert.equal(phone.call.state, 'connected');
  phone.page.wake('pagehide', { persisted: false });
  await settle();
  assert.equal(phone.heard('end')[0]?.['reason'], 1309);
});

test('phrases and an end with an error', async () => {
  const phone = new Telephone();
  await phone.connect();
  assert.equal((await rejection(phone.call.endCall('é'.repeat(64)))).reason, 'invalid_param');
  await phone.call.endCallWithError('broken headset');
  await phone.page.pass(50);
  assert.deepEqual(phone.heard('end'), [{ type: 'end', reason: 1110, user_code: 'broken headset', by_remote: false }]);
});
