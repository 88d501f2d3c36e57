// One run at a time on a machine: the browsers, phones and recordings of two runs starve each other, and calls then fail that
// nothing is wrong with.
import { linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const LOCK = join(tmpdir(), 'duologue-browser-tests.lock');
/** How often the lock is looked at again, in milliseconds. */
const PAUSE = 500;

/** Waits until no other run of this machine is going on. The turn ends with this process. */
export async function takeTurn() {
  for (let told = false; !take(); await new Promise((resolve) => setTimeout(resolve, PAUSE))) {
    if (!told) console.error(`waiting for another run of browser tests (${LOCK})`);
    told = true;
  }
  process.once('exit', () => rmSync(LOCK, { force: true }));
}

/** @returns {boolean} whether the turn is this process's */
function take() {
  // A link appears with its content; a file that is being written could be read empty, and taken for one that was left behind.
  const own = `${LOCK}.${process.pid}`;
  writeFileSync(own, String(process.pid));
  try {
    linkSync(own, LOCK);
    return true;
  } catch {
    if (!alive(holder())) rmSync(LOCK, { force: true });
    return false;
  } finally {
    rmSync(own, { force: true });
  }
}

function holder() {
  try {
    return Number(readFileSync(LOCK, 'utf8'));
  } catch {
    return 0;
  }
}

/** @param {number} pid */
function alive(pid) {
  if (!(pid > 0)) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // Somebody else's process cannot be signalled, but is there.
    return /** @type {NodeJS.ErrnoException} */ (error).code === 'EPERM';
  }
}
