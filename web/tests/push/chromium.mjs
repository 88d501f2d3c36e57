// The application in Chromium, whose push service is out of reach: its driver hands pushes to the service worker.
import { chromium } from 'playwright-core';

import { within } from '../lib/wait.mjs';

const EXECUTABLE = process.env.CHROMIUM ?? '/usr/bin/chromium';

/** One Chromium. */
export class Chromium {
  /** @param {import('playwright-core').Browser} browser */
  constructor(browser) {
    this.browser = browser;
  }

  /** @param {import('../lib/resources.mjs').Resources} resources */
  static async start(resources) {
    const browser = await chromium.launch({ executablePath: EXECUTABLE, args: ['--no-sandbox'] });
    resources.defer(() => browser.close());
    return new Chromium(browser);
  }

  /**
   * A page with its service worker, in a context of its own.
   * @param {string} url
   * @param {import('../lib/log.mjs').Log} log
   * @param {string} worker its script
   */
  async open(url, log, worker) {
    const context = await this.browser.newContext({ permissions: ['notifications'] });
    const page = await context.newPage();
    page.on('console', (message) => log.line(`[${message.type()}] ${message.text()}`));
    page.on('pageerror', (error) => log.line(`[uncaught] ${error.stack ?? error.message}`));
    await page.goto(url);
    const session = await context.newCDPSession(page);
    const active = new Promise((resolve) => {
      session.on('ServiceWorker.workerVersionUpdated', ({ versions }) => {
        const version = versions.find(({ status }) => status === 'activated');
        if (version) resolve(version.registrationId);
      });
    });
    await session.send('ServiceWorker.enable');
    await page.evaluate((worker) => application.register(worker), worker);
    const registrationId = /** @type {string} */ (await within(active, 'service worker'));
    const { origin } = new URL(url);
    /** @param {string} data */
    const deliver = (data) => session.send('ServiceWorker.deliverPushMessage', { origin, registrationId, data });
    return { page, deliver, close: () => context.close() };
  }
}
