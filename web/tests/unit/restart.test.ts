import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SessionDescription } from '../../src/signaling/messages.js';
import type { FakeConnection } from './lib/fake-media.js';
import { settle } from './lib/page.js';
import { Telephone, theirs } from './lib/telephone.js';

const HOST = 'candidate:1 1 udp 2130706431 192.0.2.1 40000 typ host';
const OTHER = 'candidate:2 1 udp 2130706431 198.51.100.7 40000 typ host';

/** The other side, after restarts. What is not the business of ICE is another one here, and must not count. */
function again(type: 'offer' | 'answer', party: number, generation: number, candidates: string[] = []): SessionDescription {
  const fingerprints = [{ algorithm: 'sha-256', value: Array(32).fill('AA').join(':') }];
  return { ...theirs(type, party, candidates), fingerprints, generation, ufrag: `new${generation}`, pwd: `new${generation}`.padEnd(24, 'x') };
}

/** What makes Chromium forget the candidates of before. */
const nowhere = (generation: number): string => `candidate:0 1 udp 1 127.0.0.1 65535 typ host ufrag new${generation}`;
/** Generations of the descriptions that this side sent. */
const told = (phone: Telephone): unknown[] => phone.heard('description').map((it) => (it['description'] as SessionDescription).generation);
const last = (phone: Telephone): SessionDescription => phone.heard('description').at(-1)?.['description'] as SessionDescription;
const interrupt = (connection: FakeConnection): void => connection.become({ connection: 'disconnected', ice: 'disconnected' });
const reason = (phone: Telephone): string => (phone.events.at(-1)?.[1] as { reason: { strCode: string } }).reason.strCode;

test('an interrupted path is looked for anew, and carries again', async () => {
  const phone = new Telephone();
  const connection = await phone.connect();
  interrupt(connection);
  await phone.page.pass(100);
  assert.deepEqual(phone.events.at(-1), ['NetworkUnavailable', { isPeer: true, willDisconnectSec: 30 }]);
  assert.deepEqual(told(phone), [1]);
  assert.equal(last(phone).ufrag, 'again1');
  connection.gather(HOST);
  await phone.page.pass(50);
  const [sent] = phone.heard('candidates');
  assert.deepEqual([sent?.['party'], sent?.['generation'], sent?.['candidates']], [1, 1, [HOST]]);

  // Until the other side has answered, nothing is changed here.
  assert.equal(connection.signalingState, 'stable');
  assert.equal(connection.offers, 1);
  phone.page.server.say({ type: 'description', party: 1, description: again('answer', 1, 1, [OTHER]) });
  await phone.page.pass(50);
  const { type, sdp } = connection.remote.at(-1) ?? {};
  assert.equal(type, 'answer');
  assert.match(sdp ?? '', /a=ice-ufrag:new1\r/);
  assert.match(sdp ?? '', /a=setup:active\r/);
  assert.equal(connection.remote.length, 2);
  const certificate = /a=fingerprint:.*/g;
  assert.deepEqual(sdp?.match(certificate), connection.remote[0]?.sdp.match(certificate), 'the certificate stays');
  assert.deepEqual(connection.candidates, [nowhere(1), OTHER]);
  // It did not help, so it is tried once more.
  await phone.page.pass(6_000);
  assert.deepEqual(told(phone), [1, 2]);
  connection.up();
  await phone.page.pass(60_000);
  assert.deepEqual(phone.events.at(-1), ['NetworkReavailable', { isPeer: true }]);
  assert.deepEqual(told(phone), [1, 2]);
  assert.equal(phone.call.state, 'connected');
});

test('a path that stays interrupted ends the call when it was said to', async () => {
  for (const [options, seconds] of [[undefined, 30], [{ networkPatienceSec: 5 }, 5]] as const) {
    const phone = new Telephone(options);
    const connection = await phone.connect();
    interrupt(connection);
    await phone.page.pass(1_000);
    connection.become({ connection: 'failed', ice: 'failed' });
    await phone.page.pass((seconds - 1) * 1_000 - 100);
    assert.equal(phone.call.state, 'connected');
    await phone.page.pass(200);
    assert.equal(reason(phone), 'UNAVAILABLE_NETWORK');
    const count = told(phone).length;
    await phone.page.pass(20_000);
    assert.equal(told(phone).length, count);
  }
});

test('the other side restarts: it is answered with the certificate, roles and formats of the first time', async () => {
  const caller = new Telephone();
  const connection = await caller.connect();
  const old = 'candidate:3 1 udp 1 192.0.2.3 3 typ host';
  caller.page.server.say({ type: 'description', party: 1, description: again('answer', 1, 1) });
  caller.page.server.say({ type: 'candidates', party: 1, generation: 0, candidates: [old], end: false });
  caller.page.server.say({ type: 'candidates', party: 1, generation: 1, candidates: [OTHER], end: true });
  await caller.page.pass(50);
  assert.deepEqual(connection.remote.map(({ type }) => type), ['answer', 'offer']);
  assert.equal(connection.signalingState, 'stable');
  assert.deepEqual(told(caller), [1]);
  assert.equal(caller.heard('description')[0]?.['party'], 1);
  assert.equal(last(caller).ufrag, 'again1');
  assert.deepEqual(connection.candidates, [nowhere(1), OTHER, '']);
  // Twice the same is once.
  caller.page.server.say({ type: 'description', party: 1, description: again('answer', 1, 1) });
  caller.page.server.say({ type: 'description', party: 1, description: again('answer', 1, 0) });
  await caller.page.pass(50);
  assert.equal(connection.remote.length, 2);

  const callee = new Telephone();
  await callee.verified();
  const [answering] = callee.connections as [FakeConnection];
  answering.up();
  await callee.page.pass(50);
  callee.page.server.say({ type: 'description', party: 1, description: again('offer', 0, 4) });
  await callee.page.pass(50);
  assert.deepEqual(answering.remote.map(({ type }) => type), ['offer', 'offer']);
  assert.deepEqual(told(callee), [0, 4]);
  assert.equal(callee.heard('description').at(-1)?.['party'], null);
  assert.equal(callee.call.state, 'verified');
});

test('both sides restart at the same moment: each takes what the other sends for the answer', async () => {
  const phone = new Telephone();
  await phone.verified();
  const [connection] = phone.connections as [FakeConnection];
  connection.up();
  await phone.page.pass(50);
  await phone.call.acceptCall();
  phone.page.wake('online');
  await settle();
  assert.deepEqual(told(phone), [0, 1]);
  // The callee never was a client of DTLS for another one: its answer says so for the caller.
  phone.page.server.say({ type: 'description', party: 1, description: again('offer', 0, 1) });
  await phone.page.pass(50);
  assert.equal(connection.remote.at(-1)?.type, 'answer');
  assert.match(connection.remote.at(-1)?.sdp ?? '', /a=setup:passive\r/);
  assert.deepEqual(told(phone), [0, 1]);

  // The other side was faster twice: this side follows with credentials for the same generation.
  phone.page.wake('online');
  await settle();
  phone.page.server.say({ type: 'description', party: 1, description: again('offer', 0, 3) });
  await phone.page.pass(50);
  assert.deepEqual(told(phone), [0, 1, 2, 3]);
  assert.equal(connection.remote.at(-1)?.type, 'offer');
  assert.match(connection.remote.at(-1)?.sdp ?? '', /new3/);
  assert.equal(connection.signalingState, 'stable');
  // What answers a restart that is over is nobody's business any more.
  phone.page.server.say({ type: 'description', party: 1, description: again('offer', 0, 2) });
  await phone.page.pass(50);
  assert.equal(connection.remote.length, 3);
  assert.equal(phone.call.state, 'connected');
});

test('another network restarts at once, with fresh servers, and again when the server was out of reach', async () => {
  const phone = new Telephone({ iceTransportPolicy: 'relay' });
  const network = Object.assign(new EventTarget(), { type: 'wifi' });
  Object.assign(navigator, { connection: network });
  const connection = await phone.connect();
  assert.equal(connection.configuration.iceTransportPolicy, 'relay');
  network.dispatchEvent(new Event('change'));
  await phone.page.pass(50);
  assert.deepEqual(told(phone), [], 'only an estimate is another one');
  network.type = 'cellular';
  network.dispatchEvent(new Event('change'));
  await phone.page.pass(50);
  assert.deepEqual(told(phone), [1]);

  phone.page.server.iceServers = [{ urls: ['turn:192.0.2.1'], username: 'later', credential: 'c' }];
  phone.page.server.reachable = false;
  phone.page.server.break();
  await settle();
  phone.page.wake('online');
  interrupt(connection);
  await phone.page.pass(8_000);
  assert.deepEqual(phone.events.at(-1), ['NetworkUnavailable', { isPeer: false, willDisconnectSec: 30 }]);
  assert.deepEqual(told(phone), [1]);
  phone.page.server.reachable = true;
  await phone.page.pass(6_000);
  assert.equal(told(phone)[1], 2);
  assert.equal(connection.configuration.iceServers?.[0]?.username, 'later');
  assert.equal(connection.configuration.iceTransportPolicy, 'relay');

  await phone.call.endCall();
  const before = told(phone).length;
  phone.page.wake('online');
  await phone.page.pass(1_000);
  assert.equal(told(phone).length, before);
});

test('a browser that would offer another payload type than was agreed on leaves the restart to the other side', async () => {
  const phone = new Telephone();
  await phone.verified();
  const [connection] = phone.connections as [FakeConnection];
  connection.up();
  await phone.page.pass(50);
  connection.payloadType = '109';
  phone.page.wake('online');
  await settle();
  assert.deepEqual(told(phone), [0]);
  phone.page.server.say({ type: 'description', party: 1, description: again('offer', 0, 1) });
  await phone.page.pass(50);
  assert.deepEqual(told(phone), [0, 1]);
  assert.equal(connection.signalingState, 'stable');
});

test('what was not answered yet cannot be restarted', async () => {
  const phone = new Telephone();
  await phone.call.makeCall(phone.makeParams());
  await phone.page.pass(50);
  phone.page.wake('online');
  await phone.page.pass(1_000);
  assert.deepEqual(told(phone), []);
  assert.equal(phone.connections[0]?.offers, 1);
});
