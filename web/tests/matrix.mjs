// Calls between every pair of {Chromium, Firefox, native}, in every scenario.
//
//   node web/tests/matrix.mjs [--only chromium:firefox,native:native] [--scenario mute,hold] [--repeat 10] [--parallel 2] [--again 1]
//       [--out FILE]
//
// DUOLOGUE_BIN is the program under test (default target/debug/duologue), DUOLOGUE_WEB_DIST the built SDK (default: a fresh
// build). With --again what failed is run again at the end, so many times, and named UNSTABLE when it then holds: for machines that
// other work may starve of the time that real-time audio needs. Ends with 0 only when everything is green.
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

import { Resources } from './lib/resources.mjs';
import { CallServer } from './lib/server.mjs';
import { run, table } from './browser/run.mjs';
import { SCENARIOS, applies } from './browser/scenarios/all.mjs';
import { KINDS, drivers } from './browser/start.mjs';

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    scenario: { type: 'string' },
    repeat: { type: 'string', default: '1' },
    parallel: { type: 'string', default: '2' },
    again: { type: 'string', default: '0' },
    out: { type: 'string' },
  },
});

const cells = values.only
  ? values.only.split(',').map((cell) => cell.split(':'))
  : KINDS.flatMap((caller) => KINDS.map((callee) => [caller, callee]));
for (const kind of cells.flat()) {
  if (!KINDS.includes(/** @type {any} */ (kind))) stop(`--only: ${kind} is none of ${KINDS.join(', ')}`);
}
const scenarios = values.scenario?.split(',') ?? Object.keys(SCENARIOS);
for (const name of scenarios) if (!(name in SCENARIOS)) stop(`--scenario: ${name} is none of ${Object.keys(SCENARIOS).join(', ')}`);
const repeat = Number(values.repeat);
const parallel = Number(values.parallel);
const again = Number(values.again);
if (!(repeat >= 1 && parallel >= 1 && again >= 0)) stop('--repeat and --parallel take a number from 1 on, --again one from 0 on');

const resources = new Resources();
let green = false;
try {
  const begin = performance.now();
  const server = await CallServer.development(resources);
  const available = await drivers(cells.flat(), resources);
  const jobs = cells.flatMap(([caller, callee]) =>
    scenarios.filter((scenario) => applies(scenario, [caller, callee])).flatMap((scenario) =>
      Array.from({ length: repeat }, (_, round) => ({ caller: available[caller], callee: available[callee], scenario, round })),
    ),
  );
  const jobOf = (/** @type {import('./browser/run.mjs').Result} */ { caller, callee, scenario, round }) => ({
    caller: available[caller],
    callee: available[callee],
    scenario,
    round,
  });
  let results = await run(jobs, server, parallel);
  for (let time = 0; time < again && results.some((result) => !result.ok); time += 1) {
    const failed = results.filter((result) => !result.ok);
    const repeated = await run(failed.map(jobOf), server, 1);
    for (const { ok, caller, callee, scenario } of repeated) if (ok) console.log(`UNSTABLE ${caller}→${callee} ${scenario}`);
    results = [...results.filter((result) => result.ok), ...repeated];
  }
  const bad = results.filter((result) => !result.ok);
  console.log(`\n${table(results)}\n`);
  for (const { caller, callee, scenario, round, reason } of bad) console.log(`FAIL ${caller}→${callee} ${scenario} #${round + 1}: ${reason}`);
  console.log(`${results.length - bad.length} of ${results.length} green in ${((performance.now() - begin) / 1000).toFixed(0)} s`);
  if (values.out) writeFileSync(values.out, `${JSON.stringify({ results }, null, 1)}\n`);
  green = bad.length === 0 && results.length > 0;
} finally {
  await resources.close();
}
process.exitCode = green ? 0 : 1;

/** @param {string} why */
function stop(why) {
  console.error(why);
  process.exit(2);
}
