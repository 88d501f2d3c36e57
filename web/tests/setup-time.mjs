// How long a call takes to be set up, for every pair of {Chromium, Firefox, native} on this machine.
//
//   node web/tests/setup-time.mjs [--only chromium:firefox] [--runs 10] [--out FILE]
//
// Both say a tone without a pause, so that the first sound that is heard is the first that could be.
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

import { Cell } from './browser/cell.mjs';
import { KINDS, drivers } from './browser/start.mjs';
import { RATE } from './lib/recording.mjs';
import { Resources } from './lib/resources.mjs';
import { CallServer } from './lib/server.mjs';

/** Louder than any silence, softer than the tone. */
const SOUND = 0.003;

const { values } = parseArgs({
  options: { only: { type: 'string' }, runs: { type: 'string', default: '10' }, out: { type: 'string' } },
});
const pairs = values.only?.split(',').map((pair) => pair.split(':')) ?? KINDS.flatMap((caller) => KINDS.map((callee) => [caller, callee]));
const runs = Number(values.runs);

/** @type {Record<string, string>} what is measured, all in milliseconds */
const COLUMNS = {
  verify: 'verify → verified (callee)',
  connected: 'verify → connected (callee)',
  accepted: 'accept → connected (callee)',
  caller: 'accept → caller hears',
  callee: 'accept → callee hears',
};

const resources = new Resources();
try {
  const server = await CallServer.development(resources);
  const available = await drivers(pairs.flat(), resources);
  /** @type {Record<string, Record<string, number>[]>} */
  const measured = {};
  for (const [caller, callee] of pairs) {
    const pair = `${caller} → ${callee}`;
    measured[pair] = [];
    // The first call of a pair warms up what the browsers load only once, and does not count.
    for (let round = 0; round <= runs; round += 1) {
      const times = await measure(new Cell(available[caller], available[callee], server));
      if (round) measured[pair].push(times);
    }
    console.error(`${pair}: ${runs} runs`);
  }
  const text = table(measured);
  console.log(text);
  if (values.out) writeFileSync(values.out, `${text}\n`);
} finally {
  await resources.close();
}

/**
 * One call.
 * @param {Cell} cell
 * @returns {Promise<Record<string, number>>}
 */
async function measure(cell) {
  try {
    const [caller, callee] = await Promise.all([cell.caller('alice', { says: 'tone' }), cell.callee('bob', { says: 'tone' })]);
    await callee.listen();
    await caller.call(callee.user);
    const verified = await callee.events.waitFor('evtVerified');
    await callee.answer();
    const connected = await callee.events.waitFor('evtConnected');
    const begun = await callee.events.waitFor('verifyCall');
    const accepted = await callee.events.waitFor('acceptCall');
    const [atCaller, atCallee] = await Promise.all([firstHeard(caller), firstHeard(callee)]);
    await caller.hangUp();
    await callee.events.waitFor('evtDisconnected');
    return {
      verify: verified.at - begun.at,
      connected: connected.at - begun.at,
      accepted: connected.at - accepted.at,
      caller: atCaller - accepted.at,
      callee: atCallee - accepted.at,
    };
  } catch (error) {
    console.error(cell.logs());
    throw error;
  } finally {
    await cell.close();
  }
}

/**
 * When a phone played its first sound: a page says so; of the command-line tool, which tells when it played sample 0, it follows
 * from the recording.
 * @param {import('./browser/types.mjs').Phone} phone
 * @returns {Promise<number>} Unix milliseconds
 */
async function firstHeard(phone) {
  if (phone.kind !== 'native') return (await phone.events.waitFor('firstSound')).at;
  const [zero, index] = await Promise.all([
    phone.events.waitFor('firstSampleOut'),
    phone.recording.finds((samples) => samples.findIndex((sample) => Math.abs(sample) > SOUND)),
  ]);
  return zero.at + (index / RATE) * 1000;
}

/** @param {Record<string, Record<string, number>[]>} measured */
function table(measured) {
  const row = (/** @type {string[]} */ cells) => `| ${cells.join(' | ')} |`;
  const lines = [row(['caller → callee', ...Object.values(COLUMNS)]), row(['---', ...Object.keys(COLUMNS).map(() => '---:')])];
  for (const [pair, all] of Object.entries(measured)) {
    const cells = Object.keys(COLUMNS).map((column) => {
      const sorted = all.map((times) => times[column]).sort((a, b) => a - b);
      const half = sorted.length / 2;
      const median = (sorted[Math.floor(half)] + sorted[Math.ceil(half) - 1]) / 2;
      return `${median.toFixed(0)} (${sorted[sorted.length - 1].toFixed(0)})`;
    });
    lines.push(row([pair, ...cells]));
  }
  return `Milliseconds, median (worst) of ${runs} calls on one machine.\n\n${lines.join('\n')}`;
}
