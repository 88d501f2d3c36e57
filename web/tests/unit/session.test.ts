import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Session, signalingUrl } from '../../src/session.js';
import type { ClientMessage, ServerMessage } from '../../src/signaling/messages.js';
import { KIT_DISCONNECT_REASON } from '../../src/signaling/reasons.js';
import { fakePage, settle, type FakePage } from './lib/page.js';

const HELLO = { version: 1, service_id: 'demo', user_id: 'alice', access_token: 'token', sdk: 'test' };
const END: ClientMessage = { type: 'end', reason: 1001, user_code: null, by_remote: false };
const muted = (it: boolean): ClientMessage => ({ type: 'mute', muted: it });

interface Told {
  session: Session;
  messages: ServerMessage[];
  downs: (number | null)[];
  welcomes: boolean[];
}

function start(url: string | undefined = 'wss://calls.example.org/ws'): Told {
  const told: Omit<Told, 'session'> = { messages: [], downs: [], welcomes: [] };
  const session = new Session(url, HELLO, {
    welcome: ({ resumed }) => told.welcomes.push(resumed),
    message: (message) => told.messages.push(message),
    down: (reason) => told.downs.push(reason),
  });
  session.start();
  return { session, ...told };
}

async function connected(page: FakePage): Promise<Told> {
  const told = start();
  await page.pass(50);
  assert.deepEqual(told.welcomes, [false]);
  return told;
}

test('the address is the page\'s own origin, or what it is told', () => {
  const page = 'https://app.example.org/a/b?c#d';
  assert.equal(signalingUrl(undefined, page), 'wss://app.example.org/ws');
  assert.equal(signalingUrl(undefined, 'http://127.0.0.1:8080/'), 'ws://127.0.0.1:8080/ws');
  assert.equal(signalingUrl('https://calls.example.org', page), 'wss://calls.example.org/ws');
  assert.equal(signalingUrl('wss://calls.example.org/signal?x=1', page), 'wss://calls.example.org/signal?x=1');
  for (const bad of ['', 'ftp://x', 'javascript:1', 'https://', `https://x/${'y'.repeat(2048)}`]) {
    assert.equal(signalingUrl(bad, undefined), undefined, bad);
  }
});

test('whatever frame is lost, nothing is lost or doubled', async () => {
  // The undisturbed run says how many frames there are.
  const run = async (cutAt: number): Promise<number> => {
    const page = fakePage();
    page.server.cutAt = cutAt;
    const { session, messages } = start();
    session.send({ type: 'verify_call', cc_param: 'x' });
    await page.pass(100);
    page.server.say({ type: 'wait_connected' });
    session.send(muted(true));
    session.send(muted(false));
    page.server.say({ type: 'peer_muted', muted: true });
    await page.pass(100);
    page.server.say({ type: 'peer_muted', muted: false });
    session.send(END);
    await page.pass(30_000);
    const what = `frame ${cutAt} lost`;
    assert.deepEqual(page.server.heard, [{ type: 'verify_call', cc_param: 'x' }, muted(true), muted(false), END], what);
    if (cutAt !== 0 && cutAt !== 1) {
      assert.deepEqual(messages.map((it) => ('muted' in it ? it.muted : it.type)), ['wait_connected', true, false], what);
    }
    session.close();
    return page.server.frames;
  };
  const frames = await run(-1);
  assert.ok(frames > 12, `${frames}`);
  for (let cutAt = 0; cutAt < frames; cutAt += 1) {
    await run(cutAt);
  }
});

test('a broken connection is taken up with the token, and a server that forgot gets everything again', async () => {
  const page = fakePage();
  const { session, downs, welcomes } = await connected(page);
  page.server.break();
  await settle();
  session.send(muted(true));
  await page.pass(5_000);
  assert.deepEqual(downs, [null]);
  assert.deepEqual(welcomes, [false, true]);
  const [first, second] = page.server.hellos;
  assert.ok(first?.type === 'hello' && first.resume === undefined);
  assert.ok(second?.type === 'hello' && second.resume === 'resume-1');

  page.server.reachable = false;
  page.server.break();
  page.server.forget();
  await settle();
  session.send(muted(false));
  page.server.reachable = true;
  await page.pass(5_000);
  assert.deepEqual(welcomes, [false, true, false]);
  assert.deepEqual(page.server.heard, [muted(true), muted(false)]);
});

test('a server that remembers another session gets a new one', async () => {
  const page = fakePage();
  const { session, welcomes } = await connected(page);
  session.send(muted(true));
  await page.pass(50);
  page.server.break();
  await settle();
  // It says that it has seen more than was ever sent.
  page.server.deaf = true;
  await page.pass(200);
  const socket = page.server.sockets.at(-1);
  const welcome = { session: 's', resume: 'r', heartbeat_ms: 10_000, resumed: true, ice_servers: [], policy: {} };
  socket?.onmessage?.({ data: JSON.stringify({ v: 1, seq: 0, ack: 77, type: 'welcome', ...welcome }) });
  page.server.deaf = false;
  await page.pass(5_000);
  assert.deepEqual(welcomes, [false, false]);
  assert.ok(session.isOpen);
});

test('a connection on which nobody answers is given up after three heartbeats', async () => {
  const page = fakePage();
  const { downs } = await connected(page);
  await page.pass(60_000);
  assert.deepEqual(downs, []);
  assert.equal(page.server.pings, 6);
  page.server.deaf = true;
  await page.pass(29_000);
  assert.deepEqual(downs, []);
  await page.pass(12_000);
  assert.deepEqual(downs.slice(0, 1), [null]);
});

test('a page that wakes up checks at once', async () => {
  for (const name of ['visibilitychange', 'resume', 'online', 'offline', 'pageshow', 'focus']) {
    const page = fakePage();
    const { session, downs, welcomes } = await connected(page);
    // The connection died in its sleep, and nobody said so.
    page.server.deaf = true;
    page.wake(name);
    await page.pass(2_900);
    assert.deepEqual(downs, [], name);
    await page.pass(100);
    assert.deepEqual(downs, [null], name);
    page.server.deaf = false;
    await page.pass(1_000);
    assert.deepEqual(welcomes, [false, true], name);
    // One that lives stays.
    page.wake(name);
    await page.pass(5_000);
    assert.deepEqual(downs, [null], name);
    session.close();
  }
});

test('a page that wakes up does not wait for the pause', async () => {
  const page = fakePage();
  const { welcomes } = await connected(page);
  page.server.reachable = false;
  page.server.break();
  await page.pass(20_000);
  const tries = page.server.sockets.length;
  page.server.reachable = true;
  page.wake('online');
  await settle();
  assert.equal(page.server.sockets.length, tries + 1);
  assert.deepEqual(welcomes, [false, true]);
});

test('the pause before the next connection grows to five seconds and begins anew', async () => {
  const page = fakePage();
  const { session } = await connected(page);
  page.server.reachable = false;
  page.server.break();
  await page.pass(30_000);
  // Three quarters of 0.1, 0.2, 0.4 … 5 s.
  const tries = page.server.sockets.length - 1;
  assert.ok(tries >= 10 && tries <= 14, `${tries}`);
  page.server.reachable = true;
  await page.pass(5_000);
  assert.ok(session.isOpen);
  const before = page.server.sockets.length;
  page.server.break();
  await page.pass(200);
  assert.equal(page.server.sockets.length, before + 1);
});

test('why there is no first connection', async () => {
  const reasons = KIT_DISCONNECT_REASON;
  let page = fakePage();
  page.server.reachable = false;
  const refused = start();
  await page.pass(50);
  assert.deepEqual(refused.downs, [reasons.SERVICE_HTTP_CONNECT_FAIL]);

  page = fakePage();
  page.server.reachable = false;
  page.server.silent = true;
  const silent = start();
  await page.pass(9_900);
  assert.deepEqual(silent.downs, []);
  await page.pass(200);
  assert.deepEqual(silent.downs, [reasons.SERVICE_HTTP_CONNECTION_TIME_OUT]);

  page = fakePage();
  assert.deepEqual(start('nonsense').downs, [reasons.SERVICE_HTTP_INVALID_URL]);
});

test('a greeting that is not answered is given up', async () => {
  const page = fakePage();
  page.server.deaf = true;
  const { downs, messages } = start();
  await page.pass(10_100);
  assert.deepEqual(downs, [null]);
  assert.deepEqual(messages, []);
});

test('garbage is dropped', async () => {
  const page = fakePage();
  const { session, messages, downs } = await connected(page);
  const socket = page.server.sockets.at(-1);
  const binary = new ArrayBuffer(4) as unknown as string;
  for (const data of ['', '{', 'null', '[]', '{"v":2,"type":"pong"}', '{"v":1,"seq":1,"ack":0}', binary, 'x'.repeat(70_000)]) {
    socket?.onmessage?.({ data });
  }
  page.server.sayUnnumbered({ type: 'welcome', session: 's', resume: 'other', heartbeat_ms: 1, resumed: true, ice_servers: [] });
  page.server.say({ type: 'sing', song: 1 });
  page.server.say({ type: 'wait_connected' });
  await page.pass(1_000);
  assert.deepEqual(messages, [{ type: 'wait_connected' }]);
  assert.deepEqual(downs, []);
  assert.ok(session.isOpen);
});

test('the end is still told when the server is back, and then the connection is closed', async () => {
  const page = fakePage();
  const { session } = await connected(page);
  page.server.reachable = false;
  page.server.break();
  await settle();
  session.send(END);
  session.finish(true);
  await page.pass(30_000);
  assert.deepEqual(page.server.heard, []);
  page.server.reachable = true;
  await page.pass(10_000);
  assert.deepEqual(page.server.heard, [END]);
  const tries = page.server.sockets.length;
  assert.equal(page.server.sockets.at(-1)?.readyState, 3);
  page.wake('online');
  await page.pass(60_000);
  assert.equal(page.server.sockets.length, tries);
});

test('telling the end is given up after a minute', async () => {
  const page = fakePage();
  const { session } = await connected(page);
  page.server.reachable = false;
  page.server.break();
  await settle();
  session.send(END);
  session.finish(true);
  await page.pass(61_000);
  const tries = page.server.sockets.length;
  page.server.reachable = true;
  page.wake('online');
  await page.pass(60_000);
  assert.equal(page.server.sockets.length, tries);
  assert.deepEqual(page.server.heard, []);
});

test('a server that never let us in does not hear of the end', async () => {
  const page = fakePage();
  page.server.reachable = false;
  page.server.silent = true;
  const { session } = start();
  session.send(END);
  session.finish(false);
  page.server.reachable = true;
  await page.pass(60_000);
  assert.deepEqual(page.server.hellos, []);
});

test('a callee that declined before the server let it in is connected until it was told', async () => {
  const page = fakePage();
  page.server.reachable = false;
  const { session } = start();
  session.send(END);
  session.finish(true);
  await page.pass(2_000);
  page.server.reachable = true;
  await page.pass(20_000);
  assert.deepEqual(page.server.heard, [END]);
  assert.equal(page.server.sockets.at(-1)?.readyState, 3);
});

test('a server that knows the call no more needs not be told', async () => {
  const page = fakePage();
  const { session, messages } = await connected(page);
  page.server.deaf = true;
  session.send(END);
  session.finish(true);
  await settle();
  page.server.sayUnnumbered({ type: 'error', reason: 1304, message: 'over' });
  await page.pass(100);
  assert.equal(messages[0]?.type, 'error');
  assert.equal(page.server.sockets.at(-1)?.readyState, 3);
});

test('a queue that nobody empties has an end', async () => {
  const page = fakePage();
  page.server.reachable = false;
  page.server.silent = true;
  const { session } = start();
  const taken = Array.from({ length: 300 }, (_, at) => session.send(muted(at % 2 === 0)));
  assert.equal(taken.filter(Boolean).length, 256);
});
