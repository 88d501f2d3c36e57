// Every scenario of the matrix, in the order of the table.
import { ending } from './ending.mjs';
import { faults } from './faults.mjs';
import { paths } from './paths.mjs';
import { talking } from './talking.mjs';

/** @type {Record<string, (cell: import('../cell.mjs').Cell) => Promise<void>>} */
export const SCENARIOS = { ...talking, ...ending, ...faults, ...paths };

/**
 * Whether a scenario has anything to show between these kinds of phones: one side at least must be able to restart ICE on command.
 * @param {string} scenario
 * @param {string[]} kinds caller and callee
 */
export function applies(scenario, [caller, callee]) {
  return scenario !== 'ice-restart' || caller !== 'native' || callee === 'chromium';
}
