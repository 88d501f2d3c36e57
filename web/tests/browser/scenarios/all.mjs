// Every scenario of the matrix, in the order of the table.
import { ending } from './ending.mjs';
import { faults } from './faults.mjs';
import { paths } from './paths.mjs';
import { talking } from './talking.mjs';

/** @type {Record<string, (cell: import('../cell.mjs').Cell) => Promise<void>>} */
export const SCENARIOS = { ...talking, ...ending, ...faults, ...paths };

/** Scenarios that need a browser at one of both sides at least. */
const OF_BROWSERS = new Set(['ice-restart']);

/**
 * Whether a scenario has anything to show between these kinds of phones.
 * @param {string} scenario
 * @param {string[]} kinds
 */
export function applies(scenario, kinds) {
  return !OF_BROWSERS.has(scenario) || kinds.some((kind) => kind !== 'native');
}
