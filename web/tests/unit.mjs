// Runs the unit tests: node tests/unit.mjs [name…]
//
// Each tests/unit/*.test.ts is bundled and given to Node's test runner, with the package's folder as the current one; what the
// browser tests are built from, tests/lib/*.test.mjs, runs as it is.

import { spawnSync } from 'node:child_process';
import { readFileSync, readdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const web = dirname(dirname(fileURLToPath(import.meta.url)));
const wanted = process.argv.slice(2);
const found = (folder, end) =>
  readdirSync(join(web, folder))
    .filter((name) => name.endsWith(end))
    .filter((name) => wanted.length === 0 || wanted.some((part) => name.includes(part)))
    .sort();
const tests = found('tests/unit', '.test.ts');
const plain = found('tests/lib', '.test.mjs').map((name) => join('tests/lib', name));
if (tests.length + plain.length === 0) {
  console.error('no test has such a name');
  process.exit(1);
}
const { version } = JSON.parse(readFileSync(join(web, 'package.json'), 'utf8'));
const folder = join(web, '.cache', `unit-${process.pid}`);
let status = 1;
try {
  await build({
    absWorkingDir: web,
    entryPoints: tests.map((name) => `tests/unit/${name}`),
    outdir: folder,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    sourcemap: 'inline',
    define: { DUOLOGUE_VERSION: JSON.stringify(version) },
    logLevel: 'warning',
  });
  const files = tests.map((name) => join(folder, name.replace(/\.ts$/, '.mjs')));
  status = spawnSync(process.execPath, ['--enable-source-maps', '--test', ...files, ...plain], { cwd: web, stdio: 'inherit' }).status ?? 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
process.exitCode = status;
