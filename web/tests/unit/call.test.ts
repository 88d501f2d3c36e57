import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeStream, FakeTrack } from './lib/fake-media.js';
import { rejection } from './lib/rejection.js';
import { SID, Telephone, theirs } from './lib/telephone.js';

const HOST = 'candidate:1 1 udp 2130706431 192.0.2.1 40000 typ host';

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

test('mute is silence and a word to the peer; hold is nothing at all', async () => {
  const phone = new Telephone({ holdTone: false });
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
  assert.equal((await phone.call.getCurrentStats()).peerLevel, 0);
  assert.deepEqual(phone.heard('hold'), [{ type: 'hold', held: true, reason: 'é'.repeat(128) }]);
  await phone.call.unhold();
  await phone.call.muteMyAudio(false);
  await phone.page.pass(50);
  assert.ok((await phone.call.getCurrentStats()).peerLevel > 0);
  phone.page.server.say({ type: 'peer_held', held: true, reason: null });
  await phone.page.pass(50);
  assert.equal((await phone.call.getCurrentStats()).peerLevel, 0);
  phone.page.server.say({ type: 'peer_held', held: false, reason: null });
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

test('phrases and an end with an error', async () => {
  const phone = new Telephone();
  await phone.connect();
  assert.equal((await rejection(phone.call.endCall('é'.repeat(64)))).reason, 'invalid_param');
  await phone.call.endCallWithError('broken headset');
  await phone.page.pass(50);
  assert.deepEqual(phone.heard('end'), [{ type: 'end', reason: 1110, user_code: 'broken headset', by_remote: false }]);
});
