// Scenarios of the way that the media takes: over a relay alone, and over another way after ICE was restarted.
import assert from 'node:assert/strict';

/**
 * @typedef {import('../cell.mjs').Cell} Cell
 * @typedef {import('../types.mjs').Phone} Phone
 */

/** @type {Record<string, (cell: Cell) => Promise<void>>} */
export const paths = {
  'relay-udp': (cell) => relayed(cell, 'udp'),
  'relay-tcp': (cell) => relayed(cell, 'tcp'),
  'ice-restart': restarted,
};

/**
 * Both show the addresses of relays only, each reached by this protocol.
 * @param {Cell} cell
 * @param {'udp' | 'tcp'} relay
 */
async function relayed(cell, relay) {
  const [caller, callee] = await cell.connected({ relay });
  await cell.bothHeard(caller, callee);
  for (const phone of [caller, callee]) {
    const { kind, protocol } = await phone.path();
    assert.deepEqual({ kind, protocol }, { kind: 'relay', protocol: relay }, `${phone.user}: way of the media`);
  }
  await caller.hangUp();
  await Promise.all([caller.events.waitFor('evtDisconnected'), callee.events.waitFor('evtDisconnected')]);
}

/**
 * Each side that is a browser hears that its network is another one, and restarts ICE; the call goes on over the new path. A Firefox
 * that was called by another kind of phone leaves that to its peer: its own offer would number the codecs anew.
 * @param {Cell} cell
 */
async function restarted(cell) {
  const [caller, callee] = await cell.connected();
  await cell.bothHeard(caller, callee);
  const leaves = callee.kind === 'firefox' && caller.kind !== 'firefox';
  for (const phone of leaves ? [caller] : [caller, callee]) {
    if (phone.kind === 'native') continue;
    const { generation } = await phone.path();
    await phone.changeNetwork();
    // Both are heard all along; only then is it looked at again.
    do await cell.bothHeard(caller, callee);
    while ((await phone.path()).generation === generation);
  }
  assert.ok(!caller.events.names.includes('evtDisconnected'), 'the call goes on');
  await callee.hangUp();
  await Promise.all([caller.events.waitFor('evtDisconnected'), callee.events.waitFor('evtDisconnected')]);
}
