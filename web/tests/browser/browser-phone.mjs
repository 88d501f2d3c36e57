// A phone in a page of a browser; the two drivers differ only in how they start the browser and its pages.
import { fileURLToPath } from 'node:url';

import { Log } from '../lib/log.mjs';
import { Proxy } from '../lib/proxy.mjs';
import { Recording } from '../lib/recording.mjs';
import { Events, LIMIT, within } from '../lib/wait.mjs';
import { flat } from './types.mjs';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const CLIPS = fileURLToPath(new URL('../../../crates/cli/assets/', import.meta.url));

/**
 * What both drivers' pages can do.
 *
 * @typedef {object} Page
 * @property {(address: string) => Promise<unknown>} goto
 * @property {(run: (command: [string, unknown]) => unknown, command: [string, unknown]) => Promise<unknown>} evaluate
 * @property {() => Promise<void>} close its context too
 */

/**
 * The proxy of a phone, with what its page needs.
 * @param {number} upstream
 * @param {string} dist folder of the built SDK and page
 * @param {(path: string, body: Buffer) => void} [report]
 */
export function pageProxy(upstream, dist, report) {
  return new Proxy(
    upstream,
    [
      { prefix: '/test/clips/', folder: CLIPS },
      { prefix: '/test/', folder: HERE },
      { prefix: '/sdk/', folder: `${dist}/sdk` },
    ],
    report,
  );
}

/**
 * @param {import('./types.mjs').PhoneSettings} settings
 * @param {string} dist
 * @param {string} kind for the log
 * @param {(log: Log) => Promise<Page>} open
 * @returns {Promise<BrowserPhone>}
 */
export async function browserPhone(settings, dist, kind, open) {
  const log = new Log(`${kind} ${settings.user}`);
  const phone = new BrowserPhone(settings, kind, log);
  phone.proxy = await pageProxy(settings.upstream, dist, (name, body) => phone.reported(name, body)).start(settings.port ?? 0);
  settings.resources.defer(() => phone.proxy.stop());
  phone.page = await open(log);
  settings.resources.defer(() => phone.close());
  await load(phone);
  const { user, service = 'dev', token, relay, says } = settings;
  await phone.tell('setUp', { user, service, token, relay, says: says === 'tone' ? says : says.name });
  return phone;
}

/**
 * Loads the page, and once more when nothing comes of it: a browser breaks its requests off when an interface of the machine comes or
 * goes, and a module that was not loaded says nothing.
 * @param {BrowserPhone} phone
 */
async function load(phone) {
  const address = `${phone.proxy.origin}/test/phone.html`;
  await phone.page.goto(address);
  try {
    await phone.events.waitFor('ready', undefined, LIMIT / 3);
  } catch {
    phone.log.line('the page is loaded again');
    await phone.page.goto(address);
    await phone.events.waitFor('ready');
  }
}

/** See `types.mjs` for what all phones can do. */
export class BrowserPhone {
  /** @type {Set<string | undefined>} numbers of the reports so far */
  #reports = new Set();
  /** @type {Page} */
  page;
  /** @type {Proxy} */
  proxy;

  /**
   * @param {import('./types.mjs').PhoneSettings} settings
   * @param {string} kind
   * @param {Log} log
   */
  constructor(settings, kind, log) {
    this.settings = settings;
    this.kind = kind;
    this.user = settings.user;
    this.log = log;
    this.events = new Events(settings.user);
    this.recording = new Recording(settings.user);
  }

  /** @param {string} peer */
  async call(peer) {
    await this.tell('call', { peer, peerService: this.settings.service ?? 'dev' });
  }

  /** @param {string} [ccParam] */
  async listen(ccParam) {
    await this.tell('listen', ccParam);
  }

  async answer() {
    await this.tell('answer');
  }

  async decline() {
    await this.tell('decline');
  }

  /** @param {boolean} muted */
  async mute(muted) {
    await this.tell('mute', muted);
  }

  /** @param {string} [reason] */
  async hold(reason) {
    await this.tell('hold', reason);
  }

  async unhold() {
    await this.tell('unhold');
  }

  /** @param {string} [phrase] */
  async hangUp(phrase) {
    await this.tell('hangUp', phrase);
  }

  dropSocket() {
    return this.proxy.cut();
  }

  /** @returns {Promise<Record<string, any>>} */
  async stats() {
    return /** @type {Record<string, any>} */ (await this.tell('stats'));
  }

  /** @returns {Promise<import('./types.mjs').Way>} */
  async path() {
    return /** @type {any} */ (await this.tell('path'));
  }

  async changeNetwork() {
    await this.tell('changeNetwork');
  }

  heard() {
    return this.recording.since();
  }

  async recorded() {
    return /** @type {number} */ (await this.tell('recorded'));
  }

  async close() {
    this.events.end('the page was closed');
    await this.page.close();
  }

  /**
   * @param {string} path what it is, and its number
   * @param {Buffer} body
   */
  reported(path, body) {
    const [name = '', number] = path.split('/');
    if (this.#reports.has(number)) return;
    this.#reports.add(number);
    if (name === 'heard') this.recording.append(body);
    else if (name === 'event') {
      const text = body.toString('utf8');
      this.log.line(text);
      const { name: event, at, data } = JSON.parse(text);
      this.events.push({ name: event, at, data: flat(data) });
    }
  }

  /**
   * @param {string} command
   * @param {unknown} [argument]
   */
  async tell(command, argument) {
    this.log.line(`> ${command} ${argument === undefined ? '' : JSON.stringify(argument).slice(0, 100)}`);
    const run = this.page.evaluate(
      // Runs in the page.
      (given) => /** @type {any} */ (globalThis).phone(given),
      [command, argument ?? null],
    );
    const answer = /** @type {{ value?: unknown, error?: string }} */ (await within(run, `${this.user}: ${command}`, LIMIT));
    if (answer.error !== undefined) throw new Error(`${this.user}: ${answer.error}`);
    return answer.value;
  }
}
