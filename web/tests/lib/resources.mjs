// What a run opens and must close again, whatever happens: processes, servers, folders, browsers.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { takeTurn } from './turns.mjs';

// Everything that opens browsers and servers comes through here.
await takeTurn();

/** @typedef {() => void | Promise<void>} Cleaner */

/** Things to undo, newest first. One of them failing does not keep the others from being undone. */
export class Resources {
  /** @type {Cleaner[]} */
  #cleaners = [];

  /**
   * Remembers what undoes something.
   * @param {Cleaner} cleaner
   */
  defer(cleaner) {
    this.#cleaners.push(cleaner);
  }

  /**
   * A folder that goes with the rest.
   * @param {string} name
   * @returns {string} its path
   */
  folder(name) {
    const path = mkdtempSync(join(tmpdir(), `duologue-${name}-`));
    this.defer(() => rmSync(path, { recursive: true, force: true, maxRetries: 3 }));
    return path;
  }

  /** Undoes everything. */
  async close() {
    for (let cleaner = this.#cleaners.pop(); cleaner; cleaner = this.#cleaners.pop()) {
      try {
        await cleaner();
      } catch (error) {
        console.error(`cleaning up: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
  }
}

/** @type {Set<import('node:child_process').ChildProcess>} */
const children = new Set();

/**
 * Remembers a child process, so that it does not outlive this one.
 * @param {import('node:child_process').ChildProcess} child
 */
export function guard(child) {
  children.add(child);
  child.once('exit', () => children.delete(child));
}

process.once('exit', () => {
  for (const child of children) child.kill('SIGKILL');
});
for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) {
  // An exit by a signal runs no exit handlers of its own.
  process.once(signal, () => process.exit(130));
}
