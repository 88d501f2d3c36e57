// Builds the SDK and the demo page.
//
//   node build.mjs [--out DIR]
//
// DIR (default `dist`) gets sdk/{duologue,duologue-sw}.{mjs,js}, sdk/types/ and page/*. The result depends on nothing
// but the sources and the locked tools, byte for byte. Fails when the SDK is larger than its budget.

import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, extname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

/** Most bytes of the SDK, minified and compressed: 15 kB. */
const BUDGET = 15_000;
const COPIED = new Set(['.html', '.css', '.svg', '.png', '.webmanifest', '.json']);

const web = dirname(fileURLToPath(import.meta.url));
const option = (name) => {
  const at = process.argv.indexOf(name);
  return at < 0 ? undefined : process.argv[at + 1];
};
const out = resolve(option('--out') ?? join(web, 'dist'));
const { version } = JSON.parse(readFileSync(join(web, 'package.json'), 'utf8'));

const common = {
  absWorkingDir: web,
  bundle: true,
  minify: true,
  target: 'es2022',
  charset: 'utf8',
  legalComments: 'none',
  logLevel: 'warning',
  define: { DUOLOGUE_VERSION: JSON.stringify(version) },
};

await sdk(join(out, 'sdk'));
await page(join(out, 'page'));

async function sdk(folder) {
  rmSync(folder, { recursive: true, force: true });
  const entry = ['src/index.ts'];
  await build({ ...common, entryPoints: entry, format: 'esm', outfile: join(folder, 'duologue.mjs') });
  await build({ ...common, entryPoints: entry, format: 'iife', globalName: 'Duologue', outfile: join(folder, 'duologue.js') });
  if (existsSync(join(web, 'src/service-worker.ts'))) {
    const worker = ['src/service-worker.ts'];
    await build({ ...common, entryPoints: worker, format: 'esm', outfile: join(folder, 'duologue-sw.mjs') });
    // For importScripts(): not every browser runs a service worker that is a module.
    await build({ ...common, entryPoints: worker, format: 'iife', globalName: 'DuologueWorker', outfile: join(folder, 'duologue-sw.js') });
  }
  types(join(folder, 'types'));
  let large = false;
  for (const name of readdirSync(folder).filter((file) => /\.m?js$/.test(file)).sort()) {
    const bytes = readFileSync(join(folder, name));
    const packed = gzipSync(bytes, { level: 9 }).length;
    console.log(`${name.padEnd(18)} ${String(bytes.length).padStart(7)} bytes, ${String(packed).padStart(6)} gzip`);
    large ||= packed > BUDGET;
  }
  if (large) {
    console.error(`the SDK is over its budget of ${BUDGET} bytes`);
    process.exitCode = 1;
  }
}

function types(folder) {
  tsc('-p', 'tsconfig.types.json', '--outDir', folder);
  if (existsSync(join(web, 'src/service-worker.ts'))) {
    // Typed against another global scope, hence another run; only its own declarations are taken.
    const scratch = mkdtempSync(join(tmpdir(), 'duologue-types-'));
    const emit = ['--noEmit', 'false', '--declaration', '--emitDeclarationOnly', '--stripInternal'];
    tsc('-p', 'tsconfig.worker.json', ...emit, '--rootDir', '.', '--outDir', scratch);
    copyFileSync(join(scratch, 'src/service-worker.d.ts'), join(folder, 'service-worker.d.ts'));
    rmSync(scratch, { recursive: true });
  }
}

function tsc(...args) {
  const run = spawnSync(process.execPath, [join(web, 'node_modules/typescript/bin/tsc'), ...args], { cwd: web, stdio: 'inherit' });
  if (run.status !== 0) {
    console.error('the type declarations cannot be made');
    process.exitCode = 1;
  }
}

async function page(folder) {
  rmSync(folder, { recursive: true, force: true });
  const sources = join(web, 'page');
  if (!existsSync(sources)) {
    return;
  }
  for (const name of ['app', 'sw'].filter((entry) => existsSync(join(sources, `${entry}.ts`)))) {
    await build({ ...common, entryPoints: [`page/${name}.ts`], format: 'iife', outfile: join(folder, `${name}.js`) });
  }
  mkdirSync(folder, { recursive: true });
  for (const name of readdirSync(sources).filter((file) => COPIED.has(extname(file))).sort()) {
    copyFileSync(join(sources, name), join(folder, name));
  }
}
