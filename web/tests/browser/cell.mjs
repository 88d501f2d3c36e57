// One run of one scenario between two kinds of phones.
import assert from 'node:assert/strict';

import { clips } from '../lib/clips.mjs';
import { Resources } from '../lib/resources.mjs';
import { CallServer } from '../lib/server.mjs';

/** Longest time of a whole scenario, in milliseconds: each wait in it has a limit of its own. */
export const SCENARIO_LIMIT = 120_000;

/**
 * @typedef {import('./types.mjs').Phone} Phone
 * @typedef {import('./types.mjs').Driver} Driver
 *
 * @typedef {object} End how a call must have ended at one side, by the documented table
 * @property {number} code
 * @property {string} strCode
 * @property {string} source
 * @property {boolean} byRemote
 * @property {string} [userCode]
 */

let runs = 0;

/** What a scenario works with. */
export class Cell {
  resources = new Resources();
  /** @type {Phone[]} */
  phones = [];
  /** @type {CallServer[]} */
  servers = [];
  #run = (runs += 1);

  /**
   * @param {Driver} caller
   * @param {Driver} callee
   * @param {CallServer} server shared by the scenarios that leave it alive
   */
  constructor(caller, callee, server) {
    this.callerDriver = caller;
    this.calleeDriver = callee;
    this.server = server;
    const [callerClip, calleeClip] = clips();
    this.callerClip = callerClip;
    this.calleeClip = calleeClip;
  }

  /** A server of this scenario's own, which it may kill. */
  async ownServer() {
    this.server = await CallServer.development(this.resources);
    this.servers.push(this.server);
    return this.server;
  }

  /**
   * The name that a user has in this run and no other.
   * @param {string} role
   */
  user(role) {
    return `${role}-${process.pid}-${this.#run}`;
  }

  /**
   * A phone of the caller's kind.
   * @param {string} [role]
   * @param {Partial<import('./types.mjs').PhoneSettings>} [more]
   */
  caller(role = 'alice', more = {}) {
    return this.#phone(this.callerDriver, role, { says: this.callerClip, ...more });
  }

  /**
   * A phone of the callee's kind.
   * @param {string} [role]
   * @param {Partial<import('./types.mjs').PhoneSettings>} [more]
   */
  callee(role = 'bob', more = {}) {
    return this.#phone(this.calleeDriver, role, { says: this.calleeClip, ...more });
  }

  /**
   * Caller and callee before the answer, the callee verified.
   * @param {Partial<import('./types.mjs').PhoneSettings>} [more]
   * @returns {Promise<[Phone, Phone]>}
   */
  async ringing(more) {
    const [caller, callee] = await Promise.all([this.caller('alice', more), this.callee('bob', more)]);
    await callee.listen();
    await caller.call(callee.user);
    await Promise.all([caller.events.waitFor('evtWaitConnected'), callee.events.waitFor('evtVerified')]);
    return [caller, callee];
  }

  /**
   * Caller and callee in a call.
   * @param {Partial<import('./types.mjs').PhoneSettings>} [more]
   * @returns {Promise<[Phone, Phone]>}
   */
  async connected(more) {
    const [caller, callee] = await this.ringing(more);
    await callee.answer();
    await Promise.all([caller.events.waitFor('evtConnected'), callee.events.waitFor('evtConnected')]);
    return [caller, callee];
  }

  /**
   * Each side hears what the other says from now on.
   * @param {Phone} caller
   * @param {Phone} callee
   */
  async bothHeard(caller, callee) {
    await Promise.all([this.callerHears(caller), this.calleeHears(callee)]);
  }

  /** @param {Phone} caller */
  async callerHears(caller) {
    return caller.recording.hears(this.calleeClip, this.callerClip, await caller.recorded());
  }

  /** @param {Phone} callee */
  async calleeHears(callee) {
    return callee.recording.hears(this.callerClip, this.calleeClip, await callee.recorded());
  }

  /**
   * The call ends at `phone` in exactly this way.
   * @param {Phone} phone
   * @param {End} expected
   */
  async ends(phone, expected) {
    const { data } = await phone.events.waitFor('evtDisconnected');
    const found = Object.fromEntries(Object.keys({ userCode: undefined, ...expected }).map((key) => [key, data[key] ?? undefined]));
    assert.deepEqual(found, { userCode: undefined, ...expected }, `${phone.user}: end of the call`);
  }

  /** Closes everything; then no phone may have been told of more than one end, or of anything after it. */
  async close() {
    await this.resources.close();
    for (const { user, events } of this.phones) {
      const names = events.names.filter((name) => name.startsWith('evt'));
      const end = names.indexOf('evtDisconnected');
      if (end >= 0) assert.equal(end, names.length - 1, `${user}: nothing comes after the end: ${names.join(' ')}`);
    }
  }

  /** @returns {string} what everything of this scenario said */
  logs() {
    return [...this.phones, ...new Set([...this.servers, this.server])].map(({ log }) => log.text()).join('\n');
  }

  /**
   * @param {Driver} driver
   * @param {string} role
   * @param {Pick<import('./types.mjs').PhoneSettings, 'says'> & Partial<import('./types.mjs').PhoneSettings>} settings
   */
  async #phone(driver, role, settings) {
    const phone = await driver.phone({
      resources: this.resources,
      user: this.user(role),
      upstream: this.server.port,
      ...settings,
    });
    this.phones.push(phone);
    return phone;
  }
}

/**
 * How a call looks at both sides that ended by `by` with this reason.
 * @param {number} code
 * @param {string} strCode
 * @param {'caller' | 'callee'} by
 * @param {string} [userCode] told by the one who ended it
 * @returns {{ caller: End, callee: End }}
 */
export function endedBy(code, strCode, by, userCode) {
  const end = (/** @type {string} */ side) => ({
    code,
    strCode,
    source: by,
    byRemote: side !== by,
    ...(side !== by && userCode !== undefined ? { userCode } : {}),
  });
  return { caller: end('caller'), callee: end('callee') };
}
