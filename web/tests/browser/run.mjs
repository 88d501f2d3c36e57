// Runs scenarios in cells, some at a time, and keeps what came of it.
import { within } from '../lib/wait.mjs';
import { Cell, SCENARIO_LIMIT } from './cell.mjs';
import { SCENARIOS } from './scenarios/all.mjs';

/**
 * @typedef {object} Job
 * @property {import('./types.mjs').Driver} caller
 * @property {import('./types.mjs').Driver} callee
 * @property {string} scenario
 * @property {number} round
 *
 * @typedef {object} Result
 * @property {string} caller
 * @property {string} callee
 * @property {string} scenario
 * @property {number} round
 * @property {boolean} ok
 * @property {number} ms
 * @property {string} [reason]
 */

/**
 * @param {Job[]} jobs
 * @param {import('../lib/server.mjs').CallServer} server
 * @param {number} parallel how many at a time
 * @returns {Promise<Result[]>}
 */
export async function run(jobs, server, parallel) {
  /** @type {Result[]} */
  const results = [];
  const waiting = [...jobs];
  const worker = async () => {
    for (let job = waiting.shift(); job; job = waiting.shift()) {
      const result = await runOne(job, server);
      results.push(result);
      const mark = result.ok ? 'ok  ' : 'FAIL';
      const round = job.round ? ` #${job.round + 1}` : '';
      const progress = `${String(results.length).padStart(3)}/${jobs.length}`;
      console.log(`${progress} ${mark} ${result.caller}→${result.callee} ${job.scenario}${round} (${(result.ms / 1000).toFixed(1)} s)`);
      if (!result.ok) console.log(`    ${result.reason}`);
    }
  };
  await Promise.all(Array.from({ length: parallel }, worker));
  return results;
}

/**
 * @param {Job} job
 * @param {import('../lib/server.mjs').CallServer} server
 * @returns {Promise<Result>}
 */
async function runOne({ caller, callee, scenario, round }, server) {
  const cell = new Cell(caller, callee, server);
  const begin = performance.now();
  /** @type {string | undefined} */
  let reason;
  const failed = async (/** @type {unknown} */ error) => {
    reason ??= error instanceof Error ? error.message : String(error);
    await Promise.allSettled(
      cell.phones.map(async (phone) => phone.log.line(`stats ${JSON.stringify(await within(phone.stats(), 'stats', 2_000))}`)),
    );
    console.log(`\n=== ${caller.name}→${callee.name} ${scenario}: ${error instanceof Error ? error.stack : error}`);
    console.log(`${cell.logs()}\n===`);
  };
  try {
    await within(SCENARIOS[scenario](cell), scenario, SCENARIO_LIMIT);
  } catch (error) {
    await failed(error);
  }
  try {
    await cell.close();
  } catch (error) {
    await failed(error);
  }
  const ms = Math.round(performance.now() - begin);
  const ok = reason === undefined;
  return { caller: caller.name, callee: callee.name, scenario, round, ok, ms, ...(ok ? {} : { reason }) };
}

/**
 * The results as a Markdown table, one line a cell, one column a scenario.
 * @param {Result[]} results
 * @returns {string}
 */
export function table(results) {
  const scenarios = Object.keys(SCENARIOS).filter((name) => results.some((result) => result.scenario === name));
  const cells = [...new Set(results.map(({ caller, callee }) => `${caller} → ${callee}`))];
  const row = (/** @type {string[]} */ values) => `| ${values.join(' | ')} |`;
  const lines = [
    row(['caller → callee', ...scenarios]),
    row(Array(scenarios.length + 1).fill('---')),
  ];
  for (const cell of cells) {
    const values = scenarios.map((scenario) => {
      const found = results.filter((result) => `${result.caller} → ${result.callee}` === cell && result.scenario === scenario);
      const bad = found.filter((result) => !result.ok).length;
      if (!found.length) return '–';
      if (bad) return found.length > 1 ? `FAIL ${bad} of ${found.length}` : 'FAIL';
      return found.length > 1 ? `ok × ${found.length}` : 'ok';
    });
    lines.push(row([cell, ...values]));
  }
  return lines.join('\n');
}
