import assert from 'node:assert/strict';
import { test } from 'node:test';

import { RING_TIME, isStale, key, readNote, readPush, type CallPush } from '../../src/push-message.ts';

const CALL: CallPush = {
  type: 'call',
  sid: '6e2c1a0e-4f0f-4d53-9d3a-0d6b6a3d3f10',
  app_callee_uid: 'bob',
  app_callee_sid: 'dev',
  app_call_type: 'audio',
  cc_param: 'cGFyYW0',
  app_caller_uid: 'alice',
  app_caller_sid: 'dev',
};
const CANCEL = { type: 'cancel', sid: CALL.sid };

test('pushes of the app server are read, with what a newer one may add', () => {
  assert.deepEqual(readPush(CALL), CALL);
  assert.deepEqual(readPush({ ...CALL, pushed_at: 1, app_svr_data: 'x', later: [] })?.sid, CALL.sid);
  assert.deepEqual(readPush(CANCEL), CANCEL);
  assert.equal(readPush({ ...CANCEL, missed: true, later: 1 })?.sid, CALL.sid);
});

test('anything else is none, and never an error', () => {
  for (const value of [undefined, null, 0, '', 'call', [], [CALL], {}, { type: 'call' }, { type: 'cancel' }, { type: 'message', sid: 'x' }]) {
    assert.equal(readPush(value), undefined, JSON.stringify(value));
  }
  for (const name of Object.keys(CALL)) {
    for (const value of [undefined, null, 7, '', {}, ['x']]) {
      assert.equal(readPush({ ...CALL, [name]: value }), undefined, `${name}: ${JSON.stringify(value)}`);
    }
  }
});

test('notes of the worker are told from other messages of the application', () => {
  const note = { duologue: 'take', push: CALL, action: 'answer' };
  assert.deepEqual(readNote(note), note);
  for (const value of [undefined, null, 'push', {}, CALL, { duologue: 'other', push: CALL }, { duologue: 'push' }, { duologue: 'push', push: {} }]) {
    assert.equal(readNote(value), undefined, JSON.stringify(value));
  }
});

test('a call is stale after its ring time, and one without a time never', () => {
  const seconds = Date.now() / 1000;
  assert.equal(isStale(CALL, RING_TIME), false);
  assert.equal(isStale({ ...CALL, pushed_at: seconds }, RING_TIME), false);
  assert.equal(isStale({ ...CALL, pushed_at: seconds - RING_TIME / 1000 - 1 }, RING_TIME), true);
  // A device whose clock is behind.
  assert.equal(isStale({ ...CALL, pushed_at: seconds + 3600 }, RING_TIME), false);
});

test('a key of the cache is a path whatever the call is named', () => {
  for (const sid of [CALL.sid, '../x', '?a#b', '\u00e9 /']) {
    const url = new URL(key(sid), 'https://app.example/phone/');
    assert.deepEqual([url.origin, url.search, url.hash, url.pathname.startsWith('/.duologue/')], ['https://app.example', '', '', true]);
  }
});
