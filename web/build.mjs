// Builds the SDK and the demo page.
//
//   node build.mjs [--out DIR]
//
// DIR (default `dist`) gets sdk/{duologue,duologue-push,duologue-sw}.{mjs,js}, sdk/types/ and page/*. The result depends on nothing
// but the sources and the locked tools, byte for byte. Fails when a file of the SDK is larger than its budget.

import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, extname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { parse } from 'acorn';
import { build } from 'esbuild';
import { minify } from 'terser';

/** The files of the SDK, and the most bytes of each, minified and compressed: 15 kB for a page that makes calls. */
const BUNDLES = [
  { name: 'duologue', entry: 'src/index.ts', global: 'Duologue', budget: 15_000 },
  { name: 'duologue-code', entry: 'src/code.ts', global: 'DuologueCode', budget: 2_000 },
  { name: 'duologue-push', entry: 'src/push.ts', global: 'DuologuePush', budget: 2_000 },
  // As a script too, for importScripts(): not every browser runs a service worker that is a module.
  { name: 'duologue-sw', entry: 'src/service-worker.ts', global: 'DuologueWorker', budget: 2_000 },
];

/**
 * Methods and properties between the SDK's own classes, which get short names. None may be in the public API, in a message of the
 * protocol, in an interface of the browser, or be written as text anywhere: `confirmInternal` looks for what it can.
 */
const INTERNAL = [
  ...['handleMessage', 'handlePath', 'handleSignalUp', 'handleSignalDown', 'handleTimeout', 'pollTimeout', 'pollOutput', 'pollTransmit'],
  ...['addCandidates', 'allowChecks', 'watchAudio', 'stopWatchingAudio', 'setAnswer', 'setRemote', 'trackChanged'],
  ...['playback', 'monitor', 'certificate', 'snapshot', 'begin', 'interrupted', 'activate', 'closeAll', 'connection', 'admit', 'gather'],
  ...['isDrained', 'isKnownToServer', 'isOpen', 'isUp', 'wrap', 'received', 'listen', 'silenced', 'choose', 'attach', 'show'],
  ...['beeping', 'tone', 'first', 'update', 'path', 'params', 'sound', 'tell', 'timers', 'stats', 'duplicates'],
  ...['gaps', 'bad_acks', 'replayed', 'caller_id', 'caller_service_id', 'callee_id', 'callee_service_id', 'expires', 'pre_connected'],
  ...['prepare', 'discard', 'whenEnded', 'local', 'note', 'take', 'own', 'remote', 'isCaller', 'isSilent', 'duration'],
  ...['failure', 'patience', 'restart', 'signalUp', 'role', 'microphone', 'machine'],
];

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
  mkdirSync(folder, { recursive: true });
  let large = false;
  for (const { name, entry, global, budget } of BUNDLES) {
    // The other two are made of the browser's and the application's names, and small as they are.
    const short = name === 'duologue' ? { mangleProps: new RegExp(`^(${INTERNAL.join('|')})$`), dropLabels: ['COUNT'] } : {};
    const made = await build({ ...common, entryPoints: [entry], format: 'esm', ...short, write: false });
    const module = await again(made.outputFiles[0].text);
    if (name === 'duologue') {
      confirmInternal(module);
    }
    for (const [file, text] of [[`${name}.mjs`, module], [`${name}.js`, script(module, global)]]) {
      writeFileSync(join(folder, file), text);
      const packed = gzipSync(text, { level: 9 }).length;
      console.log(`${file.padEnd(18)} ${String(Buffer.byteLength(text)).padStart(7)} bytes, ${String(packed).padStart(6)} gzip`);
      large ||= packed > budget;
    }
  }
  types(join(folder, 'types'));
  if (large) {
    console.error('a file of the SDK is over its budget');
    process.exitCode = 1;
  }
}

/**
 * What the bundler leaves: values that are used once are put where they are used, and functions stand side by side. It is 500 bytes of
 * gzip. `unsafe` is so for programs that replace the language's own functions, or whose getters do something.
 */
async function again(module) {
  const compress = { passes: 6, hoist_funs: true, if_return: false, inline: 1, lhs_constants: false, sequences: false, pure_getters: true, unsafe: true, unsafe_arrows: true, unsafe_methods: true, unsafe_math: true, unsafe_comps: true };
  const { code = '' } = await minify(module, { module: true, ecma: 2022, compress, format: { ecma: 2022 } });
  return `${withoutHashes(code)}\n`;
}

/** Private members become ordinary ones of one letter: a `#` before each costs 140 bytes of gzip. The declared types hide them all the same. */
function withoutHashes(code) {
  const edits = [];
  const visit = (node, names) => {
    if (node?.type === 'PrivateIdentifier') {
      edits.push([node.start, node.end, names.get(node.name)]);
    } else if (node && typeof node === 'object') {
      const within = node.type === 'ClassBody' ? lettersFor(node.body) : names;
      Object.values(node).forEach((child) => visit(child, within));
    }
  };
  visit(parse(code, { ecmaVersion: 2022, sourceType: 'module' }));
  let text = '';
  let at = 0;
  for (const [start, end, name] of edits.sort((one, other) => one[0] - other[0])) {
    text += code.slice(at, start);
    // `async#x()` needs no space, `async x()` does.
    text += /\w$/.test(text) ? ` ${name}` : name;
    at = end;
  }
  return text + code.slice(at);
}

/** For each private member of a class its own letter, or another one when an ordinary member has that. */
function lettersFor(members) {
  const isPrivate = ({ key }) => key?.type === 'PrivateIdentifier';
  const taken = new Set(members.filter((it) => !isPrivate(it)).map(({ key }) => key?.name));
  const own = new Set(members.filter(isPrivate).map(({ key }) => key.name));
  const free = [...'ZYXWVUTSRQPONMLKJIHGFEDCBAzyxwvqjkbgfmpudlochnrasiet'].filter((it) => !taken.has(it) && !own.has(it));
  return new Map([...own].map((name) => [name, taken.has(name) ? free.pop() : name]));
}

/** Fails when a name that was shortened still has its long form somewhere: then the two no longer mean the same. */
function confirmInternal(module) {
  const shared = ['src/params.ts', 'src/signaling/messages.ts', 'src/media/statistics.ts', 'src/push-message.ts'];
  const declared = shared.map((file) => readFileSync(join(web, file), 'utf8').replace(/\/\*[^]*?\*\//g, '')).join('\n');
  for (const name of INTERNAL) {
    if (new RegExp(`["'\`]${name}["'\`]`).test(module) || new RegExp(`^ *(readonly )?['"]?${name}['"]?\\??[:(]|[{;,] ${name}\\??:`, 'm').test(declared)) {
      throw new Error(`${name} cannot be shortened: it is a text, or part of the API or the protocol`);
    }
  }
}

/** A module as a script with one global: what it exports becomes an object. The bundler's own form costs 230 bytes more. */
function script(module, global) {
  const [, body, list] = /^([^]*)export\{([^{}]*)\};?\s*$/.exec(module) ?? [];
  if (body === undefined) {
    throw new Error('the bundle ends otherwise than it used to');
  }
  const members = list.split(',').map((it) => {
    const [local, name = local] = it.trim().split(' as ');
    return `${name}:${local}`;
  });
  return `"use strict";var ${global}=(()=>{${body}return{${members.join(',')}}})();\n`;
}

function types(folder) {
  tsc('-p', 'tsconfig.types.json', '--outDir', folder);
  // Typed against another global scope, hence another run; only its own declarations are taken.
  const scratch = mkdtempSync(join(tmpdir(), 'duologue-types-'));
  const emit = ['--noEmit', 'false', '--declaration', '--emitDeclarationOnly', '--stripInternal'];
  tsc('-p', 'tsconfig.worker.json', ...emit, '--rootDir', '.', '--outDir', scratch);
  copyFileSync(join(scratch, 'src/service-worker.d.ts'), join(folder, 'service-worker.d.ts'));
  rmSync(scratch, { recursive: true });
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
