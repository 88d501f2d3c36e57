// The browser and the people in it.
import { fileURLToPath } from 'node:url';

import { chromium } from 'playwright-core';

import { Person } from './person.mjs';

/** @typedef {import('../lib/server.mjs').CallServer} CallServer */

const EXECUTABLE = process.env.CHROMIUM ?? '/usr/bin/chromium';
const FLAGS = [
  // A microphone into which somebody speaks. Whether a page may use it is decided for each context by its permissions.
  '--use-fake-device-for-media-stream',
  `--use-file-for-fake-audio-capture=${fileURLToPath(new URL('../../../crates/cli/assets/speech-caller.wav', import.meta.url))}`,
  // Both ends are on this machine, which may have no other interface.
  '--allow-loopback-in-peer-connection',
  '--disable-background-timer-throttling',
  '--disable-renderer-backgrounding',
  '--disable-backgrounding-occluded-windows',
  // Chromium otherwise loads pages of its own for each window, which costs more than a call.
  '--disable-features=WebRtcHideLocalIpsWithMdns,PreloadTopChromeWebUI',
  // A name that is neither localhost nor https, for the page as a phone on the local network sees it.
  '--host-resolver-rules=MAP phone.test 127.0.0.1',
  '--no-sandbox',
];

/** Everything that a scenario needs. */
export class World {
  /** @type {Person[]} */
  #people = [];

  /**
   * @param {import('../lib/resources.mjs').Resources} resources
   * @param {CallServer} server
   * @param {import('playwright-core').Browser} browser
   * @param {string | undefined} shots folder for pictures
   */
  constructor(resources, server, browser, shots) {
    this.resources = resources;
    this.server = server;
    this.browser = browser;
    this.shots = shots;
  }

  /**
   * @param {import('../lib/resources.mjs').Resources} resources
   * @param {CallServer} server
   * @param {string | undefined} shots
   */
  static async start(resources, server, shots) {
    const browser = await chromium.launch({ executablePath: EXECUTABLE, args: FLAGS });
    resources.defer(() => browser.close());
    return new World(resources, server, browser, shots);
  }

  /** The page's address. */
  get url() {
    return `http://127.0.0.1:${this.server.port}/`;
  }

  /**
   * A person with a browser profile of their own, looking at the page.
   * @param {string} name
   * @param {import('./person.mjs').Settings} [settings]
   */
  async person(name, settings = {}) {
    const person = await Person.arrive(this, name, settings);
    this.#people.push(person);
    return person;
  }

  /** @throws when a page of this scenario reported an error that nothing explains */
  async checkQuiet() {
    const faults = this.#people.flatMap((person) => person.faults);
    if (faults.length > 0) throw new Error(`errors in the page:\n${faults.join('\n')}`);
  }

  /** What the pages of this scenario said, and what they show. */
  async logs() {
    const texts = this.#people.map(async (person) => {
      const shown = await person.page.locator('body').ariaSnapshot({ timeout: 2_000 }).catch(() => '(no page)');
      return `${person.log.text()}\n${shown}`;
    });
    return (await Promise.all(texts)).join('\n');
  }

  /** Everybody leaves. */
  async reset() {
    await Promise.all(this.#people.splice(0).map((person) => person.leave()));
  }
}

