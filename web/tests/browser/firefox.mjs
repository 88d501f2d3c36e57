// Phones in Firefox, through Puppeteer's WebDriver BiDi.
import puppeteer from 'puppeteer-core';

import { soundServer } from '../lib/sound-server.mjs';
import { browserPhone } from './browser-phone.mjs';

const EXECUTABLE = process.env.FIREFOX ?? '/usr/bin/firefox-esr';
const PREFERENCES = {
  'media.autoplay.default': 0,
  'media.autoplay.blocking_policy': 0,
  // The pages of a run were never in front, as only one can be.
  'media.block-autoplay-until-in-foreground': false,
  'media.navigator.permission.disabled': true,
  'media.navigator.streams.fake': true,
  // Both phones are on this machine, which may have no other interface.
  'media.peerconnection.ice.loopback': true,
  // As after a granted request for the real microphone, which the pages of the tests do not make.
  'media.peerconnection.ice.obfuscate_host_addresses': false,
  'dom.min_background_timeout_value': 4,
  'dom.timeout.enable_budget_timer_throttling': false,
  'network.http.max-persistent-connections-per-server': 12,
};

/** Starts phones in one Firefox, each in a context of its own. */
export class FirefoxDriver {
  name = 'firefox';
  /** @type {import('puppeteer-core').Browser} */
  browser;

  /**
   * @param {import('../lib/resources.mjs').Resources} resources
   * @param {string} dist
   * @param {Record<string, unknown>} [preferences] beyond the usual ones
   */
  constructor(resources, dist, preferences = {}) {
    this.resources = resources;
    this.dist = dist;
    this.preferences = preferences;
  }

  async start() {
    this.browser = await puppeteer.launch({
      browser: 'firefox',
      executablePath: EXECUTABLE,
      headless: true,
      env: { ...process.env, ...(await soundServer(this.resources)) },
      extraPrefsFirefox: { ...PREFERENCES, ...this.preferences },
    });
    this.resources.defer(() => this.browser.close());
  }

  /** @param {import('./types.mjs').PhoneSettings} settings */
  phone(settings) {
    return browserPhone(settings, this.dist, this.name, (log) => this.page(log));
  }

  /**
   * A page of its own, whose console goes to `log`.
   * @param {import('../lib/log.mjs').Log} log
   * @returns {Promise<import('./browser-phone.mjs').Page & import('puppeteer-core').Page>}
   */
  async page(log) {
    const context = await this.browser.createBrowserContext();
    const page = await context.newPage();
    page.on('console', (message) => log.line(`[${message.type()}] ${message.text()}`));
    page.on('pageerror', (error) => log.line(`[uncaught] ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`));
    page.close = () => context.close();
    return /** @type {any} */ (page);
  }
}
