// Calls that come by the service worker. The browser's own push service is out of reach of a test, hence the driver hands the
// push to the worker; from there on everything is the page's.
import assert from 'node:assert/strict';

import { within } from '../lib/wait.mjs';

/** @typedef {import('./world.mjs').World} World */
/** @typedef {import('./person.mjs').Person} Person */

/**
 * Bob has the page open on a phone and on a laptop that the push channel does not reach; he answers on the laptop.
 * @param {World} world
 */
export async function secondDevice(world) {
  const [alice, phone, laptop] = await Promise.all([world.person('alice'), world.person('bob'), world.person('bob')]);
  await alice.signIn();
  const pushed = nextPush(phone);
  await phone.signIn();
  await laptop.page.routeWebSocket('**/app/push**', () => undefined);
  await laptop.signIn();
  const deliver = await pushService(laptop);

  await alice.calls('bob');
  await phone.reads('alice is calling');
  const text = await within(pushed, 'push');
  await deliver(text);
  await laptop.reads('alice is calling');
  const titles = await laptop.page.waitForFunction(async () => {
    const registration = await navigator.serviceWorker.ready;
    const shown = await registration.getNotifications();
    return shown.length > 0 && shown.map(({ title }) => title);
  });
  assert.deepEqual(await titles.jsonValue(), ['alice is calling']);
  // The same call once more must not ring again.
  await deliver(text);

  await laptop.answers();
  await Promise.all([alice.talksTo('bob'), laptop.talksTo('alice')]);
  await phone.sees('The call was answered or declined on another device.');
  await phone.lists('alice', 'Answered elsewhere');
  await alice.hearsLevel('Level of bob');
  await laptop.button('Hang up').click();
  await laptop.lists('alice', 'Answered');
  await laptop.page.waitForFunction(async () => (await (await navigator.serviceWorker.ready).getNotifications()).length === 0);
}

/**
 * A browser without a push service says so.
 * @param {World} world
 */
export async function refused(world) {
  const alice = await world.person('alice');
  // The browser says in its console why.
  alice.expectsFailures = true;
  await alice.signIn();
  await alice.button('Turn on notifications').click();
  await alice.sees(/Notifications could not be turned on: .+/);
  await alice.button('Turn on notifications').and(alice.page.locator(':enabled')).waitFor();
}

/**
 * The next call that the app server tells this page.
 * @param {Person} person
 * @returns {Promise<string>}
 */
function nextPush(person) {
  return new Promise((resolve) => {
    person.page.on('websocket', (socket) => {
      if (!socket.url().includes('/app/push')) return;
      socket.on('framereceived', ({ payload }) => {
        if (String(payload).includes('"cc_param"')) resolve(String(payload));
      });
    });
  });
}

/**
 * What the browser's push service does: hands a text to the page's service worker.
 * @param {Person} person
 * @returns {Promise<(data: string) => Promise<void>>}
 */
async function pushService(person) {
  const session = await person.context.newCDPSession(person.page);
  const registrationId = new Promise((resolve) => {
    session.on('ServiceWorker.workerVersionUpdated', ({ versions }) => {
      const active = versions.find(({ status }) => status === 'activated');
      if (active) resolve(active.registrationId);
    });
  });
  await session.send('ServiceWorker.enable');
  const id = /** @type {string} */ (await within(registrationId, 'service worker'));
  const origin = new URL(person.page.url()).origin;
  return async (data) => {
    await session.send('ServiceWorker.deliverPushMessage', { origin, registrationId: id, data });
  };
}
