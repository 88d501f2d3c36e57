// Every scenario of the matrix, in the order of the table.
import { ending } from './ending.mjs';
import { faults } from './faults.mjs';
import { talking } from './talking.mjs';

/** @type {Record<string, (cell: import('../cell.mjs').Cell) => Promise<void>>} */
export const SCENARIOS = { ...talking, ...ending, ...faults };
