// The demo page, used as a person uses it: two pages in Chromium against the development server.
//
//   node tests/page.mjs [--shots DIR] [--only TEXT]
//
// DUOLOGUE_BIN is the program (default target/debug/duologue), DUOLOGUE_WEB_DIST a build to test instead of a fresh one.
// --shots writes pictures of the page, --only runs the scenarios whose name contains the text.
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

import { Resources } from './lib/resources.mjs';
import { CallServer, freePort } from './lib/server.mjs';
import { within } from './lib/wait.mjs';
import { portraits } from './page/portraits.mjs';
import { SCENARIOS } from './page/scenarios.mjs';
import { World } from './page/world.mjs';

/** Longest time for one scenario, in milliseconds. */
const SCENARIO_LIMIT = 300_000;

const option = (/** @type {string} */ name) => {
  const at = process.argv.indexOf(name);
  return at < 0 ? undefined : process.argv[at + 1];
};

const resources = new Resources();
const shots = option('--shots');
const only = option('--only') ?? '';
let failed = 0;
let run = 0;
try {
  const dist = process.env.DUOLOGUE_WEB_DIST ?? build();
  const server = new CallServer(await freePort(), resources.folder('server'), ['--dev', '--web-folder', resolve(dist)]);
  resources.defer(() => server.kill());
  await server.start();
  const world = await World.start(resources, server, shots && resolve(shots));
  if (shots) mkdirSync(shots, { recursive: true });
  for (const [name, scenario] of Object.entries({ ...SCENARIOS, ...(shots && { portraits }) }).filter(([name]) => name.includes(only))) {
    run += 1;
    const began = performance.now();
    try {
      await within(scenario(world), name, SCENARIO_LIMIT);
      await world.checkQuiet();
      console.log(`ok   ${name} (${((performance.now() - began) / 1000).toFixed(1)} s)`);
    } catch (error) {
      failed += 1;
      console.log(`FAIL ${name}\n${error instanceof Error ? error.stack : String(error)}\n${await world.logs()}`);
    }
    await world.reset();
  }
  if (failed > 0) console.log(server.log.text());
} finally {
  await resources.close();
}
console.log(`${run - failed} of ${run} scenarios passed`);
process.exit(failed > 0 || run === 0 ? 1 : 0);

function build() {
  const out = resources.folder('dist');
  const script = fileURLToPath(new URL('../build.mjs', import.meta.url));
  const { status } = spawnSync(process.execPath, [script, '--out', out], { stdio: 'inherit' });
  if (status !== 0) throw new Error(`${join('web', 'build.mjs')} failed`);
  return out;
}
