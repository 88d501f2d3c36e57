// Scenarios of two who talk.
import assert from 'node:assert/strict';

/** @typedef {import('../cell.mjs').Cell} Cell */

/** @type {Record<string, (cell: Cell) => Promise<void>>} */
export const talking = {
  async connect(cell) {
    const [caller, callee] = await cell.connected();
    await cell.bothHeard(caller, callee);
    for (const phone of [caller, callee]) {
      const events = phone.events.names.filter((name) => name.startsWith('evt'));
      const expected = [phone === caller ? 'evtWaitConnected' : 'evtVerified', 'evtConnected'];
      assert.deepEqual(events, expected, `${phone.user}: events of an undisturbed call`);
    }
    const verified = await callee.events.waitFor('evtVerified');
    assert.equal(verified.data.callerId, caller.user);
  },

  async mute(cell) {
    const [caller, callee] = await cell.connected();
    await cell.bothHeard(caller, callee);
    await caller.mute(true);
    await callee.events.waitFor('evtPeerMicMuted');
    await Promise.all([callee.recording.fallsSilent(cell.callerClip), cell.callerHears(caller)]);
    await caller.mute(false);
    await callee.events.waitFor('evtPeerMicUnmuted');
    await callee.mute(true);
    await caller.events.waitFor('evtPeerMicMuted');
    await Promise.all([caller.recording.fallsSilent(cell.calleeClip), cell.calleeHears(callee)]);
    await callee.mute(false);
    await caller.events.waitFor('evtPeerMicUnmuted');
    await cell.callerHears(caller);
  },

  async hold(cell) {
    const [caller, callee] = await cell.connected();
    await cell.bothHeard(caller, callee);
    for (const [holder, held, heldSays] of /** @type {const} */ ([
      [caller, callee, cell.calleeClip],
      [callee, caller, cell.callerClip],
    ])) {
      const reason = `back in a minute, ${held.user}`;
      await holder.hold(reason);
      const { data } = await held.events.waitFor('evtPeerHold');
      assert.equal(data.reason, reason, 'the reason of the hold');
      // The held side may hear a hold tone, but no speech; the holder hears nothing.
      await Promise.all([
        holder.recording.fallsSilent(heldSays),
        held.recording.losesSpeech(cell.callerClip, cell.calleeClip),
      ]);
      await holder.unhold();
      await held.events.waitFor('evtPeerUnhold');
      await cell.bothHeard(caller, callee);
    }
  },
};
