// What the service worker's half makes of pushes, in Chromium. A push that must do nothing is followed by one that does
// something, so that nobody has to wait for nothing.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';

import { evaluate, told, toldSoFar } from './world.mjs';

/** @typedef {import('./world.mjs').World} World */

/** Ms that a call rings. */
const RING_TIME = 60_000;

/** @type {Record<string, (world: World) => Promise<void>>} */
export const WORKER_SCENARIOS = {
  'in Chromium: a call is shown once, and its end takes it away': (world) =>
    inChromium(world, async ({ page, push, shown }) => {
      const ring = call();
      await push(ring);
      await push(ring);
      assert.deepEqual(await shown(), [{ tag: ring.sid, title: 'Call from alice', body: 'Duologue' }]);
      const other = call({ app_caller_uid: 'carol' });
      await push(other);
      assert.deepEqual((await shown()).map(({ title }) => title).sort(), ['Call from alice', 'Call from carol']);
      await push({ type: 'cancel', sid: ring.sid });
      assert.deepEqual((await shown()).map(({ tag }) => tag), [other.sid]);
      assert.equal((await told(page, 'cancel')).data.push.sid, ring.sid);
    }),

  'in Chromium: a notice stays of a call that nobody took': (world) =>
    inChromium(world, async ({ push, shown }) => {
      const [missed, taken] = [call(), call()];
      for (const ring of [missed, taken]) await push(ring);
      await push({ type: 'cancel', sid: missed.sid, missed: true });
      await push({ type: 'cancel', sid: taken.sid, missed: false });
      assert.deepEqual((await shown()).map(({ tag, title }) => [tag, title]), [[missed.sid, 'Missed call from alice']]);
    }, '/sw.js?missed'),

  'in Chromium: a call that was pushed too long ago does not ring': (world) =>
    inChromium(world, async ({ page, push, shown }) => {
      const now = Math.floor(Date.now() / 1000);
      await push(call({ pushed_at: now - RING_TIME / 1000 - 5 }));
      const ring = call({ pushed_at: now });
      await push(ring);
      assert.deepEqual((await shown()).map(({ tag }) => tag), [ring.sid]);
      const words = await evaluate(page, () => application.told().filter(({ name }) => name === 'call ring').length);
      assert.equal(words, 1);
    }),

  'in Chromium: pushes that are no calls are left to the application': (world) =>
    inChromium(world, async ({ page, deliver, shown }) => {
      const strange = ['', 'not json', '7', 'null', '[]', '{}', '{"type":"call"}', '{"type":"cancel"}', '{"type":"chat","sid":"x"}'];
      strange.push(JSON.stringify({ ...call(), cc_param: 7 }), JSON.stringify(call()).slice(1));
      for (const text of strange) {
        const words = await toldSoFar(page);
        await deliver(text);
        assert.equal((await told(page, 'push', words)).data.ours, false, text);
      }
      assert.deepEqual(await shown(), []);
    }),
};

/** @param {object} [other] fields */
function call(other) {
  return {
    type: 'call',
    sid: randomUUID(),
    app_callee_uid: 'bob',
    app_callee_sid: 'dev',
    app_call_type: 'audio',
    cc_param: 'cGFyYW0',
    app_caller_uid: 'alice',
    app_caller_sid: 'dev',
    ...other,
  };
}

/**
 * @param {World} world
 * @param {(tools: { page: any, deliver: (text: string) => Promise<unknown>, push: (push: object) => Promise<void>, shown: () => Promise<any[]> }) => Promise<void>} run
 */
async function inChromium(world, run, worker = '/sw.js') {
  const { page, deliver, close } = await (await world.chromium()).open(world.url, world.log, worker);
  try {
    const push = async (/** @type {object} */ message) => {
      const words = await toldSoFar(page);
      await deliver(JSON.stringify(message));
      assert.equal((await told(page, 'push', words)).data.ours, true);
      await told(page, 'handled', words);
    };
    await run({ page, deliver, push, shown: () => evaluate(page, () => application.notifications()) });
  } finally {
    await close();
  }
}
