// Scenarios in which signalling fails during a call.
import assert from 'node:assert/strict';

import { endedBy } from '../cell.mjs';

/** @typedef {import('../cell.mjs').Cell} Cell */

/** Events that tell of signalling itself and may or may not come. */
const OF_NETWORK = new Set(['evtNetworkUnavailable', 'evtNetworkReavailable']);

/** @type {Record<string, (cell: Cell) => Promise<void>>} */
export const faults = {
  'drop-caller': (cell) => drop(cell, 'caller'),
  'drop-callee': (cell) => drop(cell, 'callee'),
  'server-killed-caller': (cell) => killed(cell, 'caller'),
  'server-killed-callee': (cell) => killed(cell, 'callee'),
};

/**
 * One side loses its socket: nothing that either says is lost or doubled, and the call goes on.
 * @param {Cell} cell
 * @param {'caller' | 'callee'} side
 */
async function drop(cell, side) {
  const [caller, callee] = await cell.connected();
  const [dropped, other] = side === 'caller' ? [caller, callee] : [callee, caller];
  assert.equal(dropped.dropSocket(), 1, 'a phone in a call has one socket');
  await Promise.all([dropped.mute(true), other.mute(true)]);
  await Promise.all([dropped.events.waitFor('evtPeerMicMuted'), other.events.waitFor('evtPeerMicMuted')]);
  await Promise.all([dropped.mute(false), other.mute(false)]);
  await Promise.all([dropped.events.waitFor('evtPeerMicUnmuted'), other.events.waitFor('evtPeerMicUnmuted')]);
  await cell.bothHeard(caller, callee);
  assert.ok(dropped.proxy.opened >= 2, 'the phone has connected anew');
  const end = endedBy(1001, 'NORMAL', side);
  await dropped.hangUp();
  await Promise.all([cell.ends(caller, end.caller), cell.ends(callee, end.callee)]);
  for (const phone of [caller, callee]) {
    const events = phone.events.names.filter((name) => name.startsWith('evt') && !OF_NETWORK.has(name));
    const begin = phone === caller ? 'evtWaitConnected' : 'evtVerified';
    const expected = [begin, 'evtConnected', 'evtPeerMicMuted', 'evtPeerMicUnmuted', 'evtDisconnected'];
    assert.deepEqual(events, expected, `${phone.user}: nothing lost, nothing doubled`);
  }
}

/**
 * The server dies in the middle of a call: audio goes on, and a hang-up arrives over the media path.
 * @param {Cell} cell
 * @param {'caller' | 'callee'} by
 */
async function killed(cell, by) {
  const server = await cell.ownServer();
  const [caller, callee] = await cell.connected();
  await cell.bothHeard(caller, callee);
  await server.kill();
  await cell.bothHeard(caller, callee);
  for (const { user, events } of [caller, callee]) {
    assert.ok(!events.names.includes('evtDisconnected'), `${user}: the call outlives the server`);
  }
  const end = endedBy(1001, 'NORMAL', by);
  await (by === 'caller' ? caller : callee).hangUp();
  await Promise.all([cell.ends(caller, end.caller), cell.ends(callee, end.callee)]);
}
