import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeConnection, FakeStream, FakeTrack, browserError } from './lib/fake-media.js';
import { settle } from './lib/page.js';
import { rejection } from './lib/rejection.js';
import { SID, Telephone, theirs } from './lib/telephone.js';

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
  await phone.call.setAudioInput('');
  assert.equal((phone.devices.asked.at(-1)?.audio as MediaTrackConstraints).deviceId, undefined, "the system's choice");
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
