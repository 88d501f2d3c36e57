// A stock Firefox whose push service is ours, and its notifications as windows.
import puppeteer from 'puppeteer-core';

import { soundServer } from '../lib/sound-server.mjs';
import { LIMIT, within } from '../lib/wait.mjs';

const EXECUTABLE = process.env.FIREFOX ?? '/usr/bin/firefox-esr';

/** @param {string} origin of the push service */
const preferences = (origin) => ({
  'dom.push.serverURL': origin.replace('http', 'ws') + '/',
  // The two documented settings for a push service without TLS.
  'dom.push.testing.allowInsecureServerURL': true,
  'dom.push.alwaysConnect': true,
  // Comes back soon after the connection is lost; the default waits seconds.
  'dom.push.retryBaseInterval': 100,
  'permissions.default.desktop-notification': 1,
  'dom.webnotifications.actions.enabled': true,
  // Notifications are windows of Firefox itself: there is no desktop that could show them.
  'alerts.useSystemBackend': false,
  'media.autoplay.default': 0,
  'media.autoplay.blocking_policy': 0,
  'media.block-autoplay-until-in-foreground': false,
  'media.navigator.permission.disabled': true,
  'media.peerconnection.ice.loopback': true,
  'media.peerconnection.ice.obfuscate_host_addresses': false,
});

/** One Firefox with the application. */
export class Firefox {
  /**
   * @param {import('puppeteer-core').Browser} browser
   * @param {string} url of the application
   * @param {import('../lib/log.mjs').Log} log
   */
  constructor(browser, url, log) {
    this.browser = browser;
    this.url = url;
    this.log = log;
  }

  /**
   * @param {import('../lib/resources.mjs').Resources} resources
   * @param {string} pushService
   * @param {string} url
   * @param {import('../lib/log.mjs').Log} log
   */
  static async start(resources, pushService, url, log) {
    const browser = await puppeteer.launch({
      browser: 'firefox',
      executablePath: EXECUTABLE,
      headless: true,
      env: { ...process.env, ...(await soundServer(resources)) },
      // Lets the test reach the windows of notifications.
      args: ['--remote-allow-system-access'],
      extraPrefsFirefox: preferences(pushService),
    });
    resources.defer(() => browser.close());
    const firefox = new Firefox(browser, url, log);
    // A Firefox under remote control has no push service unless it is told at run time.
    await firefox.#inside(await firefox.#window(), "Services.prefs.setBoolPref('dom.push.connection.enabled', true), ''");
    return firefox;
  }

  /** A new page of the application. */
  async open() {
    const page = await this.browser.newPage();
    this.#follow(page);
    await page.goto(this.url);
    return page;
  }

  /** The page that the service worker opens; the promise is made before that happens. */
  opened() {
    const opening = this.browser
      .waitForTarget((target) => target.type() === 'page' && target.url().startsWith(this.url), { timeout: LIMIT })
      .then((target) => target.page());
    return opening.then(async (page) => {
      if (!page) throw new Error('what was opened is no page');
      this.#follow(page);
      await page.waitForFunction(() => typeof application !== 'undefined', { polling: 20, timeout: LIMIT });
      return page;
    });
  }

  /** Closes every page of the application; a blank one keeps the browser running. */
  async closePages() {
    const pages = await this.browser.pages();
    await this.browser.newPage();
    await Promise.all(pages.map((page) => page.close()));
  }

  /**
   * Waits until the notifications on the screen have these titles.
   * @param {string[]} titles
   */
  async showing(...titles) {
    const until = `(${untilShowing})(${JSON.stringify(titles)}, Services)`;
    await this.#inside(await this.#window(), until);
  }

  /** Clicks the notification, as a person does. */
  async click() {
    await this.#inside(await this.#alert(), "document.getElementById('alertTextLabel').click(), ''");
  }

  /**
   * Presses a button of the notification. Firefox draws buttons only on desktops with notifications of their own, and is told by
   * these which was pressed; the same is told to it here, by the same way, for its own notification.
   * @param {string} action
   */
  async press(action) {
    await this.#inside(
      await this.#alert(),
      `(() => {
        const pressed = { QueryInterface: ChromeUtils.generateQI(['nsIAlertAction']), action: ${JSON.stringify(action)}, title: '', iconURL: '' };
        gAlertListener.observe(pressed, 'alertclickcallback', gAlertCookie);
        close();
        return '';
      })()`,
    );
  }

  /** Closes notifications that are left. */
  async dismiss() {
    await this.#inside(await this.#window(), "[...Services.wm.getEnumerator('alert:alert')].forEach((one) => one.close()), ''");
    await this.showing();
  }

  /** The browser's own window. */
  async #window() {
    const [context] = await this.#windows('chrome://browser/content/browser.xhtml');
    if (!context) throw new Error('Firefox has no window');
    return context;
  }

  /** The newest notification's window. */
  async #alert() {
    const context = (await this.#windows('chrome://global/content/alerts/alert.xhtml')).at(-1);
    if (!context) throw new Error('no notification is shown');
    return context;
  }

  /**
   * @param {string} url
   * @returns {Promise<string[]>} contexts of the browser's own windows with this address
   */
  async #windows(url) {
    const { contexts } = await this.#send('browsingContext.getTree', { 'moz:scope': 'chrome' });
    return contexts.filter((one) => one.url === url).map(({ context }) => context);
  }

  /**
   * Runs a script in a window of the browser itself.
   * @param {string} context
   * @param {string} expression of a string, or of a promise of one
   */
  async #inside(context, expression) {
    const { result, exceptionDetails } = await this.#send('script.evaluate', { expression, target: { context }, awaitPromise: true });
    if (exceptionDetails) throw new Error(exceptionDetails.text);
    return result.value;
  }

  /**
   * Puppeteer has no words for the browser's own windows; its connection has.
   * @param {string} method
   * @param {object} params
   */
  async #send(method, params) {
    const { connection } = /** @type {any} */ (this.browser);
    const { result } = await within(connection.send(method, params), method);
    return result;
  }

  /** @param {import('puppeteer-core').Page} page */
  #follow(page) {
    page.on('console', (message) => this.log.line(`[${message.type()}] ${message.text()}`));
    page.on('pageerror', (error) => this.log.line(`[uncaught] ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`));
  }
}

/**
 * Runs in the browser's own window: resolves when the windows of notifications have these titles. A window that is being made
 * tells nobody reliably when it is complete, so they are looked at again and again.
 * @param {string[]} titles
 * @param {any} Services of Firefox
 */
function untilShowing(titles, Services) {
  return new Promise((resolve) => {
    const timer = setInterval(() => {
      const shown = [...Services.wm.getEnumerator('alert:alert')].filter((one) => one.gIsActive && !one.closed);
      const found = shown.map((one) => one.document.getElementById('alertTitleLabel').getAttribute('value'));
      if (JSON.stringify(found) === JSON.stringify(titles)) {
        clearInterval(timer);
        resolve('');
      }
    }, 20);
  });
}
