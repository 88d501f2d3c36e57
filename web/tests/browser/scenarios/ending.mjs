// Scenarios of how a call ends, and of calls that never begin.
import { endedBy } from '../cell.mjs';
import { ConfiguredServer, freePort } from '../../lib/server.mjs';

/** @typedef {import('../cell.mjs').Cell} Cell */

/** @type {Record<string, (cell: Cell) => Promise<void>>} */
export const ending = {
  async 'hang-up-caller'(cell) {
    const [caller, callee] = await cell.connected();
    const end = endedBy(1001, 'NORMAL', 'caller', 'that was all');
    await caller.hangUp('that was all');
    await Promise.all([cell.ends(caller, end.caller), cell.ends(callee, end.callee)]);
  },

  async 'hang-up-callee'(cell) {
    const [caller, callee] = await cell.connected();
    const end = endedBy(1001, 'NORMAL', 'callee');
    await callee.hangUp();
    await Promise.all([cell.ends(caller, end.caller), cell.ends(callee, end.callee)]);
  },

  async decline(cell) {
    const [caller, callee] = await cell.ringing();
    const end = endedBy(1002, 'DECLINE', 'callee');
    await callee.decline();
    await Promise.all([cell.ends(caller, end.caller), cell.ends(callee, end.callee)]);
  },

  async cancel(cell) {
    const [caller, callee] = await cell.ringing();
    const end = endedBy(1201, 'CANCEL', 'caller');
    await caller.hangUp();
    await Promise.all([cell.ends(caller, end.caller), cell.ends(callee, end.callee)]);
  },

  async 'no-answer'(cell) {
    const ports = [await freePort(), await freePort()];
    const origins = ports.map((port) => `http://127.0.0.1:${port}`);
    const configured = await ConfiguredServer.start(cell.resources, '[defaults]\nring_ms = 3000\n', origins);
    cell.servers.push(configured.server);
    const { service } = configured;
    const shared = { service, upstream: configured.server.port };
    const caller = await cell.caller('alice', { ...shared, port: ports[0], token: configured.token(cell.user('alice')) });
    const callee = await cell.callee('bob', { ...shared, port: ports[1] });
    await caller.call(callee.user);
    await callee.listen(await configured.pushed(callee.user));
    await callee.events.waitFor('evtVerified');
    const end = endedBy(1203, 'NOANSWER', 'caller');
    await Promise.all([cell.ends(caller, end.caller), cell.ends(callee, end.callee)]);
  },

  async busy(cell) {
    const [[caller, callee], third] = await Promise.all([cell.connected(), cell.caller('carol')]);
    await third.call(callee.user);
    await cell.ends(third, endedBy(1202, 'BUSY', 'callee').caller);
    // The call that made the callee busy has not noticed.
    await cell.bothHeard(caller, callee);
    await caller.hangUp();
    await cell.ends(callee, endedBy(1001, 'NORMAL', 'caller').callee);
  },

  async 'second-tab-answers'(cell) {
    const [caller, first, second] = await devices(cell);
    await second.answer();
    await Promise.all([caller.events.waitFor('evtConnected'), second.events.waitFor('evtConnected')]);
    await cell.ends(first, { code: 1206, strCode: 'MULTIDEV_ANSWER', source: 'cloud_server', byRemote: true });
    await cell.bothHeard(caller, second);
    await second.hangUp();
    await cell.ends(caller, endedBy(1001, 'NORMAL', 'callee').caller);
  },

  async 'second-tab-declines'(cell) {
    const [caller, first, second] = await devices(cell);
    await second.decline();
    await cell.ends(first, { code: 1207, strCode: 'MULTIDEV_DECLINE', source: 'cloud_server', byRemote: true });
    const end = endedBy(1002, 'DECLINE', 'callee');
    await Promise.all([cell.ends(second, end.callee), cell.ends(caller, end.caller)]);
  },
};

/**
 * A caller and two devices of the callee, which both ring.
 * @param {Cell} cell
 */
async function devices(cell) {
  const phones = await Promise.all([cell.caller(), cell.callee(), cell.callee()]);
  const [caller, first, second] = phones;
  await Promise.all([first.listen(), second.listen()]);
  await caller.call(first.user);
  await Promise.all([first.events.waitFor('evtVerified'), second.events.waitFor('evtVerified')]);
  return phones;
}
