// Web Push end to end: a native caller, the app server, a push service of ours, and a stock Firefox that decrypts. Then what the
// service worker makes of strange and late pushes, in Chromium.
//
//   node web/tests/push.mjs [--only TEXT]
//
// DUOLOGUE_BIN is the program under test (default target/debug/duologue), DUOLOGUE_WEB_DIST the built SDK (default: a fresh
// build). --only runs the scenarios whose name contains the text. Ends with 0 only when all pass.
import { parseArgs } from 'node:util';

import { dist } from './browser/start.mjs';
import { Resources } from './lib/resources.mjs';
import { within } from './lib/wait.mjs';
import { SCENARIOS } from './push/scenarios.mjs';
import { WORKER_SCENARIOS } from './push/worker-scenarios.mjs';
import { World } from './push/world.mjs';

/** Longest time for one scenario, in milliseconds. */
const SCENARIO_LIMIT = 120_000;

const { values } = parseArgs({ options: { only: { type: 'string', default: '' } } });
const chosen = Object.entries({ ...SCENARIOS, ...WORKER_SCENARIOS }).filter(([name]) => name.includes(values.only));

const resources = new Resources();
let failed = 0;
try {
  const world = await World.start(resources, dist(resources));
  for (const [name, scenario] of chosen) {
    const began = performance.now();
    try {
      const figures = await within(scenario(world), name, SCENARIO_LIMIT);
      console.log(`ok   ${name} (${((performance.now() - began) / 1000).toFixed(1)} s)${figures ? `: ${figures}` : ''}`);
    } catch (error) {
      failed += 1;
      console.log(`FAIL ${name}\n${error instanceof Error ? error.stack : String(error)}\n${world.logs()}`);
    }
    await world.reset();
  }
} finally {
  await resources.close();
}
console.log(`${chosen.length - failed} of ${chosen.length} scenarios passed`);
process.exit(failed > 0 || chosen.length === 0 ? 1 : 0);
