import assert from 'node:assert/strict';
import { test } from 'node:test';

import { clips } from './clips.mjs';
import { SPAN, longestSilence, recognise, silenceAtEnd } from './speech.mjs';

const RATE = 48_000;
const [caller, callee] = clips();

/**
 * `seconds` of a clip as the other side would hear it: from `from` on, at 48 kHz, softer, with a little noise.
 * @param {import('./speech.mjs').Clip} clip
 * @param {number} from seconds into it
 */
function heard(clip, from, seconds = SPAN, gain = 0.3, noise = 0.001) {
  const { samples, rate } = clip.sound;
  const out = new Float32Array(seconds * RATE);
  const next = random(7);
  for (let index = 0; index < out.length; index += 1) {
    const at = (from + index / RATE) * rate;
    const low = Math.floor(at);
    const part = at - low;
    const sample = samples[low % samples.length] * (1 - part) + samples[(low + 1) % samples.length] * part;
    out[index] = sample * gain + (next() - 0.5) * 2 * noise;
  }
  return { samples: out, rate: RATE };
}

/** @param {number} seed */
function random(seed) {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

const offsets = Array.from({ length: 30 }, (_, index) => index * 0.507 + 0.003);

test('a clip is recognised wherever its window begins, softer and with noise', () => {
  for (const from of offsets) {
    for (const [clip, other] of [[caller, callee], [callee, caller]]) {
      const found = recognise(heard(clip, from), clip, other);
      assert.ok(found.heard, `${clip.name} from ${from}: ${found.likeness} against ${found.foreign}`);
    }
  }
});

test('the other clip is never taken for it', () => {
  for (const from of offsets) {
    for (const [clip, other] of [[caller, callee], [callee, caller]]) {
      const found = recognise(heard(other, from), clip, other);
      assert.ok(!found.heard && found.likeness < found.foreign, `${clip.name} in ${other.name} from ${from}: ${found.likeness}`);
    }
  }
});

test('both at once, as by an echo, are not taken for one', () => {
  let taken = 0;
  for (const from of offsets) {
    const [one, two] = [heard(caller, from), heard(callee, from)];
    const both = { samples: one.samples.map((sample, index) => sample + two.samples[index]), rate: RATE };
    taken += Number(recognise(both, caller, callee).heard && recognise(both, callee, caller).heard);
  }
  assert.equal(taken, 0);
});

/**
 * What a starved machine makes of a clip: each 100 ms it may skip, repeat or fall silent for a moment.
 * @param {import('./speech.mjs').Clip} clip
 * @param {number} from seconds into it
 * @param {() => number} next
 */
function starved(clip, from, next) {
  const { samples, rate } = clip.sound;
  const out = new Float32Array(SPAN * RATE);
  let [at, gap] = [from * rate, 0];
  for (let index = 0; index < out.length; index += 1, at += rate / RATE, gap -= 1) {
    if (index % 4800 === 0) {
      const luck = next();
      if (luck < 0.05) at += (0.02 + 0.06 * next()) * rate;
      else if (luck < 0.1) at -= (0.02 + 0.06 * next()) * rate;
      else if (luck < 0.14) gap = (0.02 + 0.04 * next()) * RATE;
    }
    const place = Math.floor(at) + samples.length;
    out[index] = gap > 0 ? 0 : samples[place % samples.length] * 0.3;
  }
  return { samples: out, rate: RATE };
}

test('a clip that a starved machine stretched and cut is mostly recognised, and the other one never', () => {
  const next = random(11);
  let found = 0;
  for (const from of offsets) {
    for (const [clip, other] of [[caller, callee], [callee, caller]]) {
      found += Number(recognise(starved(clip, from, next), clip, other).heard);
      assert.ok(!recognise(starved(other, from, next), clip, other).heard, `${clip.name} in ${other.name} from ${from}`);
    }
  }
  assert.ok(found >= offsets.length, `${found} of ${2 * offsets.length}`);
});

test('silence, noise, a tone and too short a piece are nothing', () => {
  const next = random(3);
  const length = SPAN * RATE;
  const sounds = {
    silence: new Float32Array(length),
    hum: new Float32Array(length).map(() => (next() - 0.5) * 1e-4),
    noise: new Float32Array(length).map(() => (next() - 0.5) * 0.5),
    tone: new Float32Array(length).map((_, index) => 0.3 * Math.sin((2 * Math.PI * 440 * index) / RATE)),
    beeps: new Float32Array(length).map((_, index) => (index % 48_000 < 12_000 ? 0.3 * Math.sin(index / 15) : 0)),
    short: heard(caller, 2, 0.4).samples,
    none: new Float32Array(0),
  };
  for (const [name, samples] of Object.entries(sounds)) {
    for (const [clip, other] of [[caller, callee], [callee, caller]]) {
      const found = recognise({ samples, rate: RATE }, clip, other);
      assert.ok(!found.heard, `${name}: ${found.likeness}`);
    }
  }
});

test('speech with a dropout of a second is not complete', () => {
  const sound = heard(caller, 4);
  sound.samples.fill(0, RATE, 2 * RATE);
  assert.ok(!recognise(sound, caller, callee).heard);
});

test('silence at the end is measured, and speech is none', () => {
  const sound = heard(caller, 1, 3, 1, 0);
  sound.samples.fill(0, 2 * RATE);
  const silence = silenceAtEnd(sound);
  assert.ok(silence >= 1 && silence < 1 + caller.pause, String(silence));
  assert.equal(silenceAtEnd({ samples: new Float32Array(RATE), rate: RATE }), 1);
  assert.ok(longestSilence(caller.sound) < 1.5 && longestSilence(callee.sound) < 1.5);
});
