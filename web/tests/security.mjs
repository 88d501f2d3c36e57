// What protects calls between browsers and the native phone: with each version of DTLS that the browser can be told to speak (Chromium
// only its own), in both roles, audio is recognised on both sides, and the phone says what was negotiated.
//
//   node web/tests/security.mjs [--only firefox-dtls12]
//
// DUOLOGUE_BIN is the program under test (default target/debug/duologue), DUOLOGUE_WEB_DIST the built SDK (default: a fresh
// build). Ends with 0 only when every call is green.
import assert from 'node:assert/strict';
import { parseArgs } from 'node:util';

import { Cell, SCENARIO_LIMIT } from './browser/cell.mjs';
import { ChromiumDriver } from './browser/chromium.mjs';
import { FirefoxDriver } from './browser/firefox.mjs';
import { NativeDriver } from './browser/native-phone.mjs';
import { dist } from './browser/start.mjs';
import { Resources } from './lib/resources.mjs';
import { CallServer } from './lib/server.mjs';
import { within } from './lib/wait.mjs';

/** TLS 1.2 in the preference's numbering (RFC 5246 §6.2.1: 3.3). */
const TLS12 = 771;

/**
 * @typedef {object} Peer a browser that is told which versions it may speak
 * @property {(resources: Resources, built: string) => import('./browser/types.mjs').Driver & { start(): Promise<void> }} driver
 * @property {string} version that must come of it
 */

/** @type {Record<string, Peer>} */
const PEERS = {
  'chromium-dtls13': { driver: (resources, built) => new ChromiumDriver(resources, built), version: 'DTLS 1.3' },
  'firefox-dtls13': { driver: (resources, built) => new FirefoxDriver(resources, built), version: 'DTLS 1.3' },
  'firefox-dtls12': {
    driver: (resources, built) => new FirefoxDriver(resources, built, { 'media.peerconnection.dtls.version.max': TLS12 }),
    version: 'DTLS 1.2',
  },
};

const { values } = parseArgs({ options: { only: { type: 'string' } } });
const wanted = values.only?.split(',') ?? Object.keys(PEERS);
const unknown = wanted.find((name) => !(name in PEERS));
if (unknown !== undefined) {
  console.error(`--only: ${unknown} is none of ${Object.keys(PEERS).join(', ')}`);
  process.exit(2);
}

const resources = new Resources();
let failed = 0;
try {
  const server = await CallServer.development(resources);
  const native = new NativeDriver(resources);
  await native.start();
  const built = dist(resources);
  for (const name of wanted) {
    const browser = PEERS[name].driver(resources, built);
    await browser.start();
    for (const nativeCalls of [true, false]) {
      const cell = nativeCalls ? new Cell(native, browser, server) : new Cell(browser, native, server);
      const label = nativeCalls ? `native → ${name}` : `${name} → native`;
      try {
        console.log(`ok   ${label}: ${await within(call(cell, nativeCalls, PEERS[name].version), label, SCENARIO_LIMIT)}`);
      } catch (error) {
        failed += 1;
        console.log(`FAIL ${label}\n${error instanceof Error ? error.stack : error}\n${cell.logs()}`);
      } finally {
        await cell.close();
      }
    }
  }
} finally {
  await resources.close();
}
process.exitCode = failed ? 1 : 0;

/**
 * A call in which both hear the other.
 * @param {Cell} cell
 * @param {boolean} nativeCalls
 * @param {string} version
 * @returns {Promise<string>} what was negotiated
 */
async function call(cell, nativeCalls, version) {
  const [caller, callee] = await cell.connected();
  await cell.bothHeard(caller, callee);
  const { transport } = await (nativeCalls ? caller : callee).stats();
  assert.equal(transport?.dtlsVersion, version);
  await caller.hangUp();
  await Promise.all([caller.events.waitFor('evtDisconnected'), callee.events.waitFor('evtDisconnected')]);
  // The caller offers actpass and the callee answers active (RFC 8842 §5.2), so who calls is the DTLS server.
  return `${transport.dtlsVersion}, ${transport.srtpCipher}, native as DTLS ${nativeCalls ? 'server' : 'client'}`;
}
