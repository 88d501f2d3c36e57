import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Call } from '../../src/call.js';
import { FakeStream, browserError } from './lib/fake-media.js';
import { settle } from './lib/page.js';
import { rejection } from './lib/rejection.js';
import { Telephone } from './lib/telephone.js';

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
      const started = phone.call.makeCall(phone.makeParams());
      void started.then(() => order.push('resolved'));
      await started;
    }
    await settle();
    assert.deepEqual(order, ['resolved', 'disconnected']);
    const [[, param]] = phone.events as [[string, { reason: { strCode: string } }]];
    assert.equal(param.reason.strCode, 'SERVICE_HTTP_INVALID_URL');
    assert.equal(phone.devices.streams[0]?.tracks[0]?.readyState, 'ended');
  }
});

test('an address of a server that the browser does not take is left out', async () => {
  const phone = new Telephone();
  phone.page.server.iceServers = [{ urls: ['stun:192.0.2.1:3478'] }, { urls: ['nonsense'] }, { urls: ['turn:192.0.2.1'], username: 'u', credential: 'c' }];
  await phone.call.makeCall(phone.makeParams());
  await phone.page.pass(50);
  assert.deepEqual(JSON.parse(JSON.stringify(phone.connections[0]?.configuration.iceServers)), [
    { urls: ['stun:192.0.2.1:3478'] },
    { urls: ['turn:192.0.2.1'], username: 'u', credential: 'c' },
  ]);
  assert.ok(phone.connections[0]?.localDescription);
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
