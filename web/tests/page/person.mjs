// Somebody who uses the page: finds things by what they are called and what they are, as a screen reader does.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

import { Log } from '../lib/log.mjs';
import { LIMIT } from '../lib/wait.mjs';
import { words } from './words.mjs';

/**
 * @typedef {object} Settings
 * @property {'en' | 'ja'} [language] of the browser
 * @property {'light' | 'dark'} [scheme]
 * @property {number} [width]
 * @property {number} [height]
 * @property {number} [scale] device pixels for each pixel
 * @property {boolean} [stillness] the person wants no motion; what fades has no passing colours then
 * @property {boolean} [microphone] whether the page may use it
 * @property {string} [origin] instead of the server's own address
 * @property {string} [query] of the address
 */

/** Longest wait for anything, in milliseconds: two pages, their media and the server may share two busy processors. */
const PATIENCE = 2 * LIMIT;

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** One person, one browser profile, one page. */
export class Person {
  log;
  /** @type {string[]} errors that no scenario expects */
  faults = [];
  /** Failed requests are part of the scenario. */
  expectsFailures = false;

  /**
   * @param {import('./world.mjs').World} world
   * @param {string} name
   * @param {import('playwright-core').BrowserContext} context
   * @param {import('playwright-core').Page} page
   * @param {'en' | 'ja'} language
   */
  constructor(world, name, context, page, language) {
    this.world = world;
    this.name = name;
    this.context = context;
    this.page = page;
    this.words = words[language];
    this.log = new Log(name);
    page.on('console', (message) => this.#hear(message.type(), message.text()));
    page.on('pageerror', (error) => this.#hear('error', String(error.stack ?? error)));
  }

  /**
   * @param {import('./world.mjs').World} world
   * @param {string} name
   * @param {Settings} settings
   */
  static async arrive(world, name, settings) {
    const { language = 'en', scheme = 'light', width = 1280, height = 860, scale = 1, microphone = true, stillness = false } = settings;
    const context = await world.browser.newContext({
      viewport: { width, height },
      colorScheme: scheme,
      reducedMotion: stillness ? 'reduce' : 'no-preference',
      locale: language === 'ja' ? 'ja-JP' : 'en-US',
      deviceScaleFactor: scale,
      isMobile: width < 600,
      hasTouch: width < 600,
      // What is not granted here is denied without a question.
      permissions: microphone ? ['microphone', 'notifications'] : ['notifications'],
    });
    context.setDefaultTimeout(PATIENCE);
    const page = await context.newPage();
    const person = new Person(world, name, context, page, language);
    await page.goto(`${settings.origin ?? world.url}${settings.query ?? ''}`);
    return person;
  }

  /** @param {string} role @param {string | RegExp} name */
  by(role, name) {
    return this.page.getByRole(/** @type {any} */ (role), { name, exact: true });
  }

  /** @param {string | RegExp} name */
  button(name) {
    return this.by('button', name);
  }

  /** Waits until this is to be seen. @param {string | RegExp} text */
  async sees(text) {
    await this.page.getByText(text).and(this.page.locator(':visible')).first().waitFor();
  }

  /** Waits until this heading is to be seen. @param {string | RegExp} name */
  async reads(name) {
    await this.page.getByRole('heading', { name }).waitFor();
  }

  async signIn() {
    await this.page.getByLabel(this.words.nameLabel, { exact: true }).fill(this.name);
    await this.button(this.words.signIn).click();
    await this.isReady();
  }

  /** Waits until calls can come in. */
  async isReady() {
    await this.sees(this.words.presenceOnline);
  }

  /** @param {string} peer */
  async calls(peer) {
    await this.page.getByLabel(this.words.peerLabel, { exact: true }).fill(peer);
    await this.button(this.words.call).click();
  }

  async answers() {
    await this.button(this.words.answer).click();
  }

  /** Waits until the call with `peer` is up. @param {string} peer */
  async talksTo(peer) {
    await this.reads(this.words.inCallWith(peer));
  }

  /** Waits until the meter shows sound. @param {string} name of the meter */
  async hearsLevel(name) {
    await this.by('meter', name).and(this.page.locator(':not([aria-valuenow="0"])')).waitFor();
  }

  /** Waits until the meter shows silence. @param {string} name of the meter */
  async hearsSilence(name) {
    await this.by('meter', name).and(this.page.locator('[aria-valuenow="0"]')).waitFor();
  }

  /** Waits until the newest call of the list is this one. @param {string} peer @param {string | RegExp} text */
  async lists(peer, text) {
    const list = this.by('region', this.words.history);
    await list.getByRole('listitem').first().filter({ hasText: peer }).filter({ hasText: text }).waitFor();
  }

  /** Presses keys as a person without a mouse does. @param {string[]} keys */
  async presses(...keys) {
    for (const key of keys) await this.page.keyboard.press(key);
  }

  /** Moves on with Tab until this has the focus. @param {import('playwright-core').Locator} target */
  async tabsTo(target) {
    for (let step = 0; step < 40; step += 1) {
      if (await target.evaluate((element) => element === document.activeElement)) return;
      await this.page.keyboard.press('Tab');
    }
    throw new Error(`Tab never reaches ${target}`);
  }

  /** @param {string} state for the message @throws when axe finds a violation */
  async isAccessible(state) {
    await this.page.evaluate(axe);
    const violations = await this.page.evaluate(async () => {
      const { violations } = await /** @type {any} */ (window).axe.run(document, {
        runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
      });
      return violations.map((/** @type {any} */ it) => `${it.id}: ${it.help}\n  ${it.nodes.map((/** @type {any} */ node) => `${node.html}\n  ${node.failureSummary}`).join('\n  ')}`);
    });
    if (violations.length > 0) throw new Error(`${this.name}, ${state}: axe found\n${violations.join('\n')}`);
    const overflow = await this.page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    if (overflow > 0) throw new Error(`${this.name}, ${state}: ${overflow} px wider than the window`);
  }

  /** Takes a picture, if pictures are wanted. @param {string} name @param {boolean} [fullPage] */
  async poses(name, fullPage = false) {
    if (this.world.shots) await this.page.screenshot({ path: join(this.world.shots, `${name}.png`), fullPage });
  }

  async leave() {
    await this.context.close();
  }

  /** @param {string} type @param {string} text */
  #hear(type, text) {
    this.log.line(`${type}: ${text}`);
    if (type === 'error' && !this.expectsFailures) this.faults.push(`${this.name}: ${text}`);
  }
}
