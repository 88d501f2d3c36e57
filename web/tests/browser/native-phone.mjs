// A phone that is `duologue call` or `duologue answer`.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync, readSync, watch, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { Log } from '../lib/log.mjs';
import { Proxy } from '../lib/proxy.mjs';
import { Recording } from '../lib/recording.mjs';
import { guard } from '../lib/resources.mjs';
import { BINARY } from '../lib/server.mjs';
import { Events, LIMIT, within } from '../lib/wait.mjs';
import { header, repeated, writeWav } from '../lib/wav.mjs';
import { flat } from './types.mjs';

/** How often a clip is repeated in a file: longer than any scenario. */
const ROUNDS = 8;

/** Samples that may have been played and not yet been written to the file: a buffer of 8 kB, and some. */
const UNWRITTEN = 6_000;

/** Starts native phones. */
export class NativeDriver {
  name = 'native';
  /** @type {Map<import('../lib/speech.mjs').Clip, string>} */
  #files = new Map();

  /** @param {import('../lib/resources.mjs').Resources} resources */
  constructor(resources) {
    this.resources = resources;
    this.folder = resources.folder('native');
  }

  /** Nothing to start before the first phone. */
  async start() {}

  /**
   * @param {import('./types.mjs').PhoneSettings} settings
   * @returns {Promise<NativePhone>}
   */
  async phone(settings) {
    let file = settings.says === 'tone' ? 'tone' : this.#files.get(settings.says);
    if (!file) {
      const clip = /** @type {import('../lib/speech.mjs').Clip} */ (settings.says);
      file = join(this.folder, `${clip.name}.wav`);
      writeFileSync(file, writeWav(repeated(clip.sound, ROUNDS)));
      this.#files.set(clip, file);
    }
    const proxy = await new Proxy(settings.upstream, []).start(settings.port ?? 0);
    settings.resources.defer(() => proxy.stop());
    const phone = new NativePhone(settings, proxy, file, settings.resources.folder('phone'));
    settings.resources.defer(() => phone.close());
    return phone;
  }
}

/** See `types.mjs` for what all phones can do. */
export class NativePhone {
  kind = 'native';
  /** @type {import('node:child_process').ChildProcessWithoutNullStreams | undefined} */
  #child;
  /** @type {(() => void)[]} */
  #watchers = [];

  /**
   * @param {import('./types.mjs').PhoneSettings} settings
   * @param {Proxy} proxy
   * @param {string} says `--input`
   * @param {string} folder
   */
  constructor(settings, proxy, says, folder) {
    this.settings = settings;
    this.user = settings.user;
    this.proxy = proxy;
    this.says = says;
    this.folder = folder;
    this.log = new Log(`native ${settings.user}`);
    this.events = new Events(settings.user);
    this.recording = new Recording(settings.user);
  }

  /** @param {string} peer */
  async call(peer) {
    const token = this.settings.token;
    this.#spawn(['call', peer, ...this.#service('--peer-service'), ...(token ? ['--token', token] : this.#appServer())]);
    await this.events.waitFor('makeCall');
  }

  /** @param {string} [ccParam] */
  async listen(ccParam) {
    this.#spawn(['answer', ...(ccParam ? ['--cc-param', ccParam] : this.#appServer())]);
    if (!ccParam) await this.events.waitFor('waiting');
  }

  async answer() {
    await this.#tell('accept');
  }

  async decline() {
    await this.#tell('decline');
  }

  /** @param {boolean} muted */
  async mute(muted) {
    await this.#tell(muted ? 'mute' : 'unmute');
  }

  /** @param {string} [reason] */
  async hold(reason) {
    await this.#tell(reason === undefined ? 'hold' : `hold ${reason}`);
  }

  async unhold() {
    await this.#tell('unhold');
  }

  /** @param {string} [phrase] */
  async hangUp(phrase) {
    await this.#tell(phrase === undefined ? 'end' : `end ${phrase}`);
  }

  dropSocket() {
    return this.proxy.cut();
  }

  /** @returns {Promise<Record<string, any>>} */
  async stats() {
    return this.events.list.findLast((event) => event.name === 'stats')?.data ?? {};
  }

  /** @returns {Promise<import('./types.mjs').Way>} */
  async path() {
    const fresh = this.events.list.length;
    const { data } = await this.events.waitFor('stats', ({ data }) => data.candidatePair?.localKind, LIMIT, fresh);
    const { localKind: kind, relayProtocol, restarts } = data.candidatePair;
    return { kind, protocol: relayProtocol ?? undefined, generation: String(restarts) };
  }

  async changeNetwork() {
    throw new Error('the networks of this machine are what the command-line phone sees');
  }

  heard() {
    return this.recording.since();
  }

  async recorded() {
    return this.recording.length + UNWRITTEN;
  }

  async close() {
    for (const stop of this.#watchers.splice(0)) stop();
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await within(gone, `end of ${this.user}`);
  }

  #appServer() {
    return ['--app-server', `${this.proxy.origin}/app`];
  }

  /** @param {...string} names */
  #service(...names) {
    const { service } = this.settings;
    return service ? names.flatMap((name) => [name, service]) : [];
  }

  /** @param {string[]} command */
  #spawn(command) {
    const events = join(this.folder, 'events.jsonl');
    const heard = join(this.folder, 'heard.wav');
    const options = ['--as', this.user, '--server', `${this.proxy.origin.replace('http', 'ws')}/ws`, '--loopback', '--control'];
    const { relay } = this.settings;
    if (relay) options.push('--ice-policy', 'relay-only', '--relay-protocols', relay);
    options.push(...this.#service('--service'), '--events', events, '--input', this.says, '--output', heard, '--quiet');
    const child = spawn(BINARY, ['--log', process.env.DUOLOGUE_LOG ?? 'warn', ...command, ...options], { stdio: 'pipe' });
    guard(child);
    this.#child = child;
    this.log.line(`started as process ${child.pid}: ${command[0]}`);
    this.log.follow(child.stdout);
    this.log.follow(child.stderr);
    // A phone that has ended reads nothing any more; its end is told below.
    child.stdin.on('error', () => {});
    child.once('error', (error) => this.events.end(`cannot be started: ${error.message}`));
    const eventLines = follow(this.folder, events, (bytes) => this.#eventLines(bytes));
    const audio = follow(this.folder, heard, wavReader((pcm) => this.recording.append(pcm)));
    this.#watchers.push(eventLines.stop, audio.stop);
    child.once('close', (code, signal) => {
      eventLines.look();
      audio.look();
      this.log.line(`ended with ${code ?? signal}`);
      this.events.end(`the program ended with ${code ?? signal}`);
    });
  }

  #partial = '';

  /** @param {Buffer} bytes */
  #eventLines(bytes) {
    const lines = (this.#partial + bytes.toString('utf8')).split('\n');
    this.#partial = lines.pop() ?? '';
    for (const line of lines) {
      const { event, wall_ms: at, ...data } = JSON.parse(line);
      if (event !== 'stats') this.log.line(line);
      // Comes before or after the call connects, as both have said what it is made of, and is none of the documented events.
      const name = event === 'evt_verification_code' ? 'verificationCode' : camel(event);
      this.events.push({ name, at, data: flat(camelKeys(data)) });
    }
  }

  /** @param {string} line */
  async #tell(line) {
    this.log.line(`> ${line}`);
    const { stdin } = /** @type {import('node:child_process').ChildProcessWithoutNullStreams} */ (this.#child);
    await within(new Promise((resolve) => stdin.write(`${line}\n`, () => resolve(undefined))), `telling ${this.user}`, LIMIT);
  }
}

/** @param {string} name in snake case */
function camel(name) {
  return name.replace(/_([a-z])/g, (_, letter) => letter.toUpperCase());
}

/**
 * @param {any} value
 * @returns {any}
 */
function camelKeys(value) {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [camel(key), camelKeys(part)]));
}

/**
 * Hands over what is written to a file, as it is written.
 * @param {string} folder that the file is in, or will be
 * @param {string} path
 * @param {(bytes: Buffer) => void} take
 */
function follow(folder, path, take) {
  let file = -1;
  let at = 0;
  const buffer = Buffer.alloc(64 * 1024);
  const look = () => {
    if (file < 0) {
      if (!existsSync(path)) return;
      file = openSync(path, 'r');
    }
    for (let count = readSync(file, buffer, 0, buffer.length, at); count > 0; count = readSync(file, buffer, 0, buffer.length, at)) {
      at += count;
      take(buffer.subarray(0, count));
    }
  };
  const watcher = watch(folder, look);
  look();
  const stop = () => {
    watcher.close();
    if (file >= 0) closeSync(file);
    file = -1;
  };
  return { look, stop };
}

/**
 * Finds the samples in a WAV file that is being written; the length in its header is not yet true.
 * @param {(pcm: Buffer) => void} take
 * @returns {(bytes: Buffer) => void}
 */
function wavReader(take) {
  let pending = Buffer.alloc(0);
  let begun = false;
  return (bytes) => {
    pending = Buffer.concat([pending, bytes]);
    if (!begun) {
      const found = header(pending);
      if (!found) return;
      begun = true;
      pending = pending.subarray(found.at);
    }
    const even = pending.length & ~1;
    take(pending.subarray(0, even));
    pending = Buffer.from(pending.subarray(even));
  };
}
