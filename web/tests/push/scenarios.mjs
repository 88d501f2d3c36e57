// Calls that are pushed to a browser. The caller is always native, the callee a Firefox.
import assert from 'node:assert/strict';

import { RATE } from '../lib/recording.mjs';
import { loudest } from './pitch.mjs';
import { evaluate, told, toldSoFar } from './world.mjs';

/** What the native caller says, in Hz; and what the application says. */
const CALLER_PITCH = 440;
const CALLEE_PITCH = 1250;
/** How often the way of a push is measured. */
const ROUNDS = 10;

/** @typedef {import('./world.mjs').World} World */

/** @type {Record<string, (world: World) => Promise<string | void>>} */
export const SCENARIOS = {
  'a call is answered from the notification while no page is open': async (world) => {
    await world.subscribed();
    await world.firefox.closePages();
    const caller = await world.caller();
    const ring = await world.push.message('the ring', () => true, 0);
    assert.equal(ring.headers['content-encoding'], 'aes128gcm');
    assert.deepEqual([ring.headers.ttl, ring.headers.urgency], ['60', 'high']);
    assert.match(String(ring.headers.topic), /^[0-9a-f]{32}$/);
    assert.equal(await world.push.acknowledged(ring), 100);
    await world.firefox.showing(ringing(world));
    const opened = world.firefox.opened();
    await world.firefox.press('answer');
    const page = await opened;
    const { data: incoming } = await told(page, 'call answer');
    assert.equal(incoming.push.app_callee_uid, world.bob);
    assert.equal(incoming.push.sid.replaceAll('-', ''), ring.headers.topic);
    assert.ok(incoming.push.cc_param.length > 100);
    assert.equal(new URL(page.url()).search + new URL(page.url()).hash, '', 'nothing of the call is in the address');
    await connectedBothWays(caller, page);
    await world.firefox.showing();
    await caller.hangUp();
    await told(page, 'evtDisconnected');
  },

  'a click on the notification opens a page that rings': async (world) => {
    await world.subscribed();
    await world.firefox.closePages();
    const caller = await world.caller();
    await world.firefox.showing(ringing(world));
    const opened = world.firefox.opened();
    await world.firefox.click();
    const page = await opened;
    const { data } = await told(page, 'call ring');
    await world.firefox.showing();
    await caller.hangUp();
    assert.equal((await told(page, 'cancel')).data.push.sid, data.push.sid);
  },

  'a page that is opened by itself hears of a call that rings': async (world) => {
    await world.subscribed();
    await world.firefox.closePages();
    await world.caller();
    await world.firefox.showing(ringing(world));
    const page = await world.firefox.open();
    const { data } = await told(page, 'call ring');
    assert.equal(data.push.app_caller_uid, world.alice);
    await evaluate(page, (sid) => application.close(sid), data.push.sid);
    await world.firefox.showing();
  },

  'an open page rings with the notification, and one of two pages answers': async (world) => {
    const { page } = await world.subscribed();
    const second = await world.firefox.open();
    const caller = await world.caller();
    for (const each of [page, second]) await told(each, 'call ring');
    await world.firefox.showing(ringing(world));
    await world.firefox.press('answer');
    const answering = await Promise.race([page, second].map((each) => told(each, 'evtVerified').then(() => each)));
    await connectedBothWays(caller, answering);
    const other = answering === page ? second : page;
    const words = await evaluate(other, () => application.told().map(({ name }) => name));
    assert.ok(!words.includes('call answer'), 'one page only');
    await evaluate(answering, () => application.end());
    await caller.events.waitFor('evtDisconnected');
  },

  'a call is declined from the notification': async (world) => {
    const { page } = await world.subscribed();
    const caller = await world.caller();
    await world.firefox.showing(ringing(world));
    await world.firefox.press('decline');
    const { data } = await caller.events.waitFor('evtDisconnected');
    assert.equal(data.strCode, 'DECLINE');
    await told(page, 'evtDisconnected');
  },

  'the end of a call takes its notification away': async (world) => {
    const { page } = await world.subscribed();
    const caller = await world.caller();
    await world.firefox.showing(ringing(world));
    const ring = await world.push.message('the ring', () => true, world.push.messages.length - 1);
    await caller.hangUp();
    const end = await world.push.message('the end', ({ headers, version }) => headers.topic === ring.headers.topic && version !== ring.version);
    assert.equal(await world.push.acknowledged(end), 100);
    await world.firefox.showing();
    assert.deepEqual(await evaluate(page, () => application.notifications()), []);
  },

  'a browser that was away gets only the end': async (world) => {
    const { page } = await world.subscribed();
    world.push.goAway();
    const before = world.push.messages.length;
    const caller = await world.caller();
    const ring = await world.push.message('the ring', () => true, before);
    await caller.hangUp();
    const end = await world.push.message('the end', ({ headers, version }) => headers.topic === ring.headers.topic && version !== ring.version);
    assert.ok(!world.push.messages.includes(ring), 'the end has replaced the ring');
    world.push.comeBack();
    assert.equal(await world.push.acknowledged(end), 100);
    assert.equal(JSON.parse((await told(page, 'push')).data.text).type, 'cancel');
    assert.deepEqual(await evaluate(page, () => application.notifications()), []);
    assert.equal(ring.sent, undefined);
  },

  'a message that was tampered with does not ring': async (world) => {
    const { page } = await world.subscribed();
    const before = world.push.messages.length;
    world.push.spoil = (body) => {
      const spoilt = Buffer.from(body);
      spoilt[spoilt.length - 1] ^= 1;
      return spoilt;
    };
    await world.caller();
    const ring = await world.push.message('the ring', () => true, before);
    assert.equal(await world.push.acknowledged(ring), 101);
    assert.deepEqual(await evaluate(page, () => application.told()), []);
    assert.deepEqual(await evaluate(page, () => application.notifications()), []);
  },

  'a subscription that is over is forgotten': async (world) => {
    const { page, subscription } = await world.subscribed();
    const again = await evaluate(page, (user) => application.subscribe(user), world.bob);
    assert.equal(again.endpoint, subscription.endpoint, 'one browser has one subscription');
    assert.equal(await evaluate(page, () => application.unsubscribe()), subscription.endpoint);
    const caller = await world.caller();
    await caller.events.waitFor('evtDisconnected');
    // Subscribed again, but the push service drops it.
    await evaluate(page, (user) => application.subscribe(user), world.bob);
    world.push.forget();
    for (const told of [[410], []]) {
      const next = await world.caller();
      await next.events.waitFor('evtDisconnected');
      const topic = await world.topic();
      const refused = world.push.refused.filter((one) => one.topic === topic).map(({ status }) => status);
      assert.deepEqual(refused, told, 'the app server asks once and forgets it');
    }
    await evaluate(page, () => application.unsubscribe());
  },

  'a wrong key is told before the browser is asked': async (world) => {
    const { page } = await world.subscribed();
    for (const vapidKey of ['', 'AAAA', '*', 'A'.repeat(87)]) {
      const failure = await evaluate(page, (vapidKey) => application.failure({ vapidKey }), vapidKey);
      assert.deepEqual(failure, { name: 'PushError', reason: 'invalid_param' }, vapidKey);
    }
  },

  'how long a push takes': async (world) => {
    const { page } = await world.subscribed();
    const [fromService, fromCaller] = [[], []];
    for (let round = 0; round < ROUNDS; round += 1) {
      const words = await toldSoFar(page);
      const before = world.push.messages.length;
      const caller = await world.caller();
      const ring = await world.push.message('the ring', () => true, before);
      const { data } = await told(page, 'push', words);
      fromService.push(data.at - ring.received);
      fromCaller.push(data.at - (await caller.events.waitFor('makeCall')).at);
      await world.firefox.showing(ringing(world));
      await caller.hangUp();
      await world.firefox.showing();
      await caller.close();
    }
    return `to the service worker, ms: from the push service ${figures(fromService)}; from makeCall ${figures(fromCaller)}`;
  },
};

/** @param {number[]} times ms */
function figures(times) {
  const sorted = times.toSorted((one, other) => one - other);
  const median = (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2;
  return `median ${median.toFixed(0)}, worst ${sorted.at(-1)?.toFixed(0)}`;
}

/**
 * Title of the notification, as the application words it.
 * @param {World} world
 */
function ringing(world) {
  return `Call from ${world.alice}`;
}

/**
 * @param {import('../browser/native-phone.mjs').NativePhone} caller
 * @param {import('puppeteer-core').Page} page
 */
async function connectedBothWays(caller, page) {
  await caller.events.waitFor('evtConnected');
  await told(page, 'evtConnected');
  const { hz } = await evaluate(page, () => application.pitch());
  assert.ok(Math.abs(hz - CALLER_PITCH) < 20, `the page hears ${hz} Hz`);
  await caller.recording.finds((samples) => (Math.abs(loudest(samples, RATE) - CALLEE_PITCH) < 20 ? samples.length : -1));
}
