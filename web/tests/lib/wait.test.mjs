import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Recording } from './recording.mjs';
import { Events, Signal, TooLate, within } from './wait.mjs';
import { header, readWav, repeated, writeWav } from './wav.mjs';

test('a wait ends with what happens, before or after it begins', async () => {
  const events = new Events('alice');
  const later = events.waitFor('evtConnected');
  events.push({ name: 'evtConnected', at: 1, data: {} });
  assert.equal((await later).at, 1);
  assert.equal((await events.waitFor('evtConnected')).at, 1);
});

test('a wait for what does not happen says what did', async () => {
  const events = new Events('alice');
  events.push({ name: 'evtVerified', at: 1, data: {} });
  await assert.rejects(events.waitFor('evtConnected', undefined, 1), (error) => error instanceof TooLate && /evtVerified/.test(error.message));
  await assert.rejects(within(new Promise(() => {}), 'rain', 1), /rain did not happen/);
});

test('the end of a call or of a phone ends what cannot happen any more', async () => {
  const events = new Events('alice');
  const waiting = events.waitFor('evtConnected');
  events.push({ name: 'evtDisconnected', at: 1, data: { code: 1002 } });
  await assert.rejects(waiting, /1002/);
  const gone = new Events('bob');
  const never = gone.waitFor('evtVerified');
  gone.end('the page was closed');
  await assert.rejects(never, /the page was closed/);
});

test('what a condition throws ends its wait', async () => {
  const signal = new Signal();
  let broken = false;
  const waiting = signal.until(() => {
    if (broken) throw new Error('broken');
    return undefined;
  }, 'nothing');
  broken = true;
  signal.raise();
  await assert.rejects(waiting, /broken/);
});

test('a recording gives any part of itself', () => {
  const recording = new Recording('alice');
  const pcm = (/** @type {number[]} */ ...values) => new Uint8Array(Int16Array.from(values).buffer);
  recording.append(pcm(1, 2, 3));
  recording.append(pcm());
  recording.append(pcm(4, 5));
  const whole = (/** @type {Float32Array} */ samples) => [...samples].map((sample) => sample * 32768);
  assert.deepEqual(whole(recording.since()), [1, 2, 3, 4, 5]);
  assert.deepEqual(whole(recording.since(2)), [3, 4, 5]);
  assert.deepEqual(whole(recording.since(4)), [5]);
  assert.deepEqual(whole(recording.since(9)), []);
});

test('sound survives a WAV file, and repeats without a seam', () => {
  const sound = { samples: Float32Array.from([0, 0.5, -0.5, 0.25]), rate: 16_000 };
  const bytes = writeWav(repeated(sound, 2));
  const { samples, rate } = readWav(bytes);
  assert.equal(rate, 16_000);
  assert.equal(samples.length, 8);
  samples.forEach((sample, index) => assert.ok(Math.abs(sample - sound.samples[index % 4]) < 1e-4));
  assert.equal(header(bytes.subarray(0, 30)), undefined, 'a header that is not all there yet');
});
