// Phones in Chromium, through Playwright.
import { existsSync } from 'node:fs';

import { chromium } from 'playwright-core';

import { browserPhone } from './browser-phone.mjs';

// Chromium without the browser around it: pages, audio and WebRTC are the same, and each phone costs a third of the processor's time.
const SHELL = '/usr/bin/chromium-headless-shell';
const EXECUTABLE = process.env.CHROMIUM ?? (existsSync(SHELL) ? SHELL : '/usr/bin/chromium');
const FLAGS = [
  '--autoplay-policy=no-user-gesture-required',
  '--use-fake-ui-for-media-stream',
  '--use-fake-device-for-media-stream',
  // Both phones are on this machine, which may have no other interface.
  '--allow-loopback-in-peer-connection',
  // Names as after a granted request for the real microphone, which the pages of the tests do not make; and no pages of Chromium's
  // own for each window, which cost more than a call.
  '--disable-features=WebRtcHideLocalIpsWithMdns,PreloadTopChromeWebUI',
  '--disable-background-timer-throttling',
  '--disable-renderer-backgrounding',
  '--disable-backgrounding-occluded-windows',
  '--disable-gpu',
  '--no-sandbox',
];

/** Starts phones in one Chromium, each in a context of its own. */
export class ChromiumDriver {
  name = 'chromium';
  /** @type {import('playwright-core').Browser} */
  browser;

  /**
   * @param {import('../lib/resources.mjs').Resources} resources
   * @param {string} dist
   * @param {string[]} [flags] beyond the usual ones
   */
  constructor(resources, dist, flags = []) {
    this.resources = resources;
    this.dist = dist;
    this.flags = flags;
  }

  async start() {
    this.browser = await chromium.launch({ executablePath: EXECUTABLE, args: [...FLAGS, ...this.flags] });
    this.resources.defer(() => this.browser.close());
  }

  /** @param {import('./types.mjs').PhoneSettings} settings */
  phone(settings) {
    return browserPhone(settings, this.dist, this.name, (log) => this.page(log));
  }

  /**
   * A page of its own, whose console goes to `log`.
   * @param {import('../lib/log.mjs').Log} log
   * @returns {Promise<import('./browser-phone.mjs').Page & import('playwright-core').Page>}
   */
  async page(log) {
    const context = await this.browser.newContext({ permissions: ['microphone'] });
    const page = await context.newPage();
    page.on('console', (message) => log.line(`[${message.type()}] ${message.text()}`));
    page.on('pageerror', (error) => log.line(`[uncaught] ${error.stack ?? error.message}`));
    page.close = () => context.close();
    return page;
  }
}
