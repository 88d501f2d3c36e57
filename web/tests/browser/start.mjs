// Starts what a run needs: a build of the SDK, and one browser of each kind.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const BUILD = fileURLToPath(new URL('../../build.mjs', import.meta.url));

/** Kinds of phones, in the order of the table. */
export const KINDS = /** @type {const} */ (['chromium', 'firefox', 'native']);

/**
 * The folder of the SDK under test: DUOLOGUE_WEB_DIST, or a fresh build.
 * @param {import('../lib/resources.mjs').Resources} resources
 * @returns {string}
 */
export function dist(resources) {
  const given = process.env.DUOLOGUE_WEB_DIST;
  if (given) {
    if (!existsSync(`${given}/sdk/duologue.mjs`)) throw new Error(`DUOLOGUE_WEB_DIST: there is no sdk/duologue.mjs in ${given}`);
    return given;
  }
  const folder = resources.folder('dist');
  const { status, stdout, stderr } = spawnSync(process.execPath, [BUILD, '--out', folder], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`web/build.mjs failed:\n${stdout}${stderr}`);
  return folder;
}

/**
 * @param {Iterable<string>} kinds
 * @param {import('../lib/resources.mjs').Resources} resources
 * @returns {Promise<Record<string, import('./types.mjs').Driver>>}
 */
export async function drivers(kinds, resources) {
  const wanted = new Set(kinds);
  const built = wanted.has('chromium') || wanted.has('firefox') ? dist(resources) : '';
  /** @type {Record<string, import('./types.mjs').Driver>} */
  const found = {};
  // Only what is wanted is loaded: calls between native phones need no browser and no packages.
  if (wanted.has('chromium')) found.chromium = new (await import('./chromium.mjs')).ChromiumDriver(resources, built);
  if (wanted.has('firefox')) found.firefox = new (await import('./firefox.mjs')).FirefoxDriver(resources, built);
  if (wanted.has('native')) found.native = new (await import('./native-phone.mjs')).NativeDriver(resources);
  await Promise.all(Object.values(found).map((driver) => driver.start()));
  return found;
}
