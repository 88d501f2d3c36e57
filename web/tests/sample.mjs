// The published sample, rewritten, as a page in real browsers: it calls, answers and hangs up.
//
//   node tests/sample.mjs [chromium:chromium,chromium:firefox…]
//
// DUOLOGUE_BIN is the program under test (default target/debug/duologue), DUOLOGUE_WEB_DIST the built SDK (default: a fresh
// build). Ends with 0 only when every pair is green.
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { dist, drivers } from './browser/start.mjs';
import { Log } from './lib/log.mjs';
import { Resources } from './lib/resources.mjs';
import { CallServer, freePort } from './lib/server.mjs';
import { LIMIT } from './lib/wait.mjs';

const PAIRS = ['chromium:chromium', 'chromium:firefox', 'firefox:chromium', 'firefox:firefox'];
const SAMPLE = fileURLToPath(new URL('sample', import.meta.url));

const pairs = (process.argv[2]?.split(',') ?? PAIRS).map((pair) => pair.split(':'));
const resources = new Resources();
let failed = 0;
try {
  const folder = resources.folder('sample');
  cpSync(join(dist(resources), 'sdk'), join(folder, 'sdk'), { recursive: true });
  cpSync(SAMPLE, join(folder, 'page'), { recursive: true });
  const server = new CallServer(await freePort(), resources.folder('server'), ['--dev', '--web-folder', folder]);
  resources.defer(() => server.kill());
  await server.start();
  const browsers = await drivers(pairs.flat(), resources);
  for (const [caller = '', callee = ''] of pairs) {
    const began = performance.now();
    const log = new Log('sample');
    const open = [];
    try {
      const alice = await page(browsers[caller], log, server.port, `alice-${caller}-${callee}`, `bob-${caller}-${callee}`);
      open.push(alice);
      const bob = await page(browsers[callee], log, server.port, `bob-${caller}-${callee}`, '');
      open.push(bob);
      await call(alice, bob);
      console.log(`${caller} → ${callee}: green, ${Math.round(performance.now() - began)} ms`);
    } catch (error) {
      failed += 1;
      console.error(`${caller} → ${callee}: ${error instanceof Error ? error.message : String(error)}\n${log.text()}\n${server.log.text()}`);
    } finally {
      await Promise.all(open.map((it) => it.close()));
    }
  }
} finally {
  await resources.close();
}
process.exit(failed === 0 ? 0 : 1);

/** A call as the sample makes it. */
async function call(alice, bob) {
  await alice.click('#call');
  await noted(alice, 'made');
  await noted(alice, 'waitConnected');
  const { callerId, callerServiceId } = await noted(bob, 'verified');
  equal([callerId, callerServiceId], [await alice.evaluate("names.get('me')"), 'dev']);
  await bob.click('#accept');
  await Promise.all([noted(alice, 'connected'), noted(bob, 'connected'), noted(bob, 'accepted')]);
  // Sound arrives on both sides: samples that were not invented, played by the element of the page.
  for (const side of [alice, bob]) {
    await until(side, "planetKit.getCurrentStats().then((it) => it.inboundRtpStats.audio.totalSamplesReceived - it.inboundRtpStats.audio.concealedSamples > 24000 || undefined)", 'half a second of sound');
    equal(await side.evaluate("peerAudioElement.srcObject.getAudioTracks()[0].muted || peerAudioElement.paused"), false);
  }
  equal(await alice.evaluate("planetKit.makeCall({}).catch((error) => [error instanceof Error, error.reason])"), [true, 'already_exist']);
  await alice.click('#end');
  const told = { source: 'caller', reason: { code: 1001, strCode: 'NORMAL' } };
  equal(await noted(alice, 'disconnected'), { ...told, byRemote: false });
  equal(await noted(bob, 'disconnected'), { ...told, byRemote: true });
  for (const side of [alice, bob]) equal(await side.evaluate('document.body.dataset.failed ?? null'), null);
}

async function page(browser, log, port, me, peer) {
  const opened = await browser.page(log);
  await opened.goto(`http://127.0.0.1:${port}/?me=${me}&peer=${peer}`);
  await noted(opened, 'ready');
  return opened;
}

/** What the sample noted under a name, as soon as it has. */
async function noted(side, name) {
  return JSON.parse(await until(side, `document.body.dataset.${name}`, name));
}

/** Looks in the page, each 50 ms, until there is something. */
async function until(side, expression, what) {
  const end = performance.now() + LIMIT;
  for (;;) {
    const value = await side.evaluate(expression);
    if (value !== undefined && value !== null) return value;
    const failure = await side.evaluate('document.body.dataset.failed');
    if (failure) throw new Error(`${what}: the page failed: ${failure}`);
    if (performance.now() > end) throw new Error(`${what} did not happen in time`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function equal(is, shall) {
  if (JSON.stringify(is) !== JSON.stringify(shall)) {
    throw new Error(`${JSON.stringify(is)} instead of ${JSON.stringify(shall)}`);
  }
}
