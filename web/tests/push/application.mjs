// The application under test: the built SDK and its service worker's half, used by a page of the tests.
import { cpSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { build } from 'esbuild';

const page = fileURLToPath(new URL('page', import.meta.url));

/**
 * Puts the application together for the development server to serve.
 * @param {import('../lib/resources.mjs').Resources} resources
 * @param {string} dist what `build.mjs` made
 * @returns {Promise<string>} a folder laid out as `dist`
 */
export async function assemble(resources, dist) {
  const folder = resources.folder('application');
  cpSync(join(dist, 'sdk'), join(folder, 'sdk'), { recursive: true });
  mkdirSync(join(folder, 'page'));
  cpSync(join(page, 'index.html'), join(folder, 'page/index.html'));
  await build({
    absWorkingDir: page,
    entryPoints: ['app.js', 'sw.js'],
    outdir: join(folder, 'page'),
    bundle: true,
    format: 'iife',
    target: 'es2022',
    logLevel: 'error',
    // What is shipped, not the sources.
    alias: {
      '@duologue/web/service-worker': join(folder, 'sdk/duologue-sw.mjs'),
      '@duologue/web/push': join(folder, 'sdk/duologue-push.mjs'),
      '@duologue/web': join(folder, 'sdk/duologue.mjs'),
    },
  });
  return folder;
}
