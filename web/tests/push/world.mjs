// What the scenarios need: call server, push service, Firefox with the application, and native callers.
import { Log } from '../lib/log.mjs';
import { CallServer, freePort } from '../lib/server.mjs';
import { within } from '../lib/wait.mjs';
import { NativeDriver } from '../browser/native-phone.mjs';
import { assemble } from './application.mjs';
import { Autopush } from './autopush.mjs';
import { Chromium } from './chromium.mjs';
import { Firefox } from './firefox.mjs';

/** Everything that is running. */
export class World {
  log = new Log('firefox');

  /**
   * @param {import('../lib/resources.mjs').Resources} resources
   * @param {string} dist
   */
  static async start(resources, dist) {
    const world = new World();
    world.resources = resources;
    const options = ['--dev', '--web-folder', await assemble(resources, dist)];
    world.server = new CallServer(await freePort(), resources.folder('server'), options);
    resources.defer(() => world.server.kill());
    await world.server.start();
    world.push = await Autopush.start(resources);
    world.url = `http://127.0.0.1:${world.server.port}/`;
    world.firefox = await Firefox.start(resources, world.push.origin, world.url, world.log);
    world.natives = new NativeDriver(resources);
    return world;
  }

  #round = 0;

  /** The one who calls. Each scenario has its own two, so that a call that is left hanging does not make the next one busy. */
  get alice() {
    return `alice-${this.#round}`;
  }

  /** The one who is called. */
  get bob() {
    return `bob-${this.#round}`;
  }

  /** A native caller who is ringing. */
  async caller() {
    const { resources, server } = this;
    const caller = await this.natives.phone({ resources, upstream: server.port, user: this.alice, says: 'tone' });
    this.callers.push(caller);
    await caller.call(this.bob);
    return caller;
  }

  /** @type {import('../browser/native-phone.mjs').NativePhone[]} */
  callers = [];

  /** Topic of the newest call to the one who is called here, by the words of the app server. */
  async topic() {
    const answer = await fetch(new URL('/app/events', this.url));
    const { events } = await answer.json();
    const call = events.findLast(({ event, query }) => event === 'notify' && query.to_user_id === this.bob);
    return call?.query.sid.replaceAll('-', '');
  }

  /** @type {Chromium | undefined} */
  #chromium;

  /** The Chromium of this run. */
  async chromium() {
    this.#chromium ??= await Chromium.start(this.resources);
    return this.#chromium;
  }

  /** A page of the callee, whose browser is subscribed. */
  async subscribed() {
    const page = await this.firefox.open();
    const subscription = await evaluate(page, (user) => application.subscribe(user), this.bob);
    return { page, subscription };
  }

  /** Back to a browser with no page of the application and no call. */
  async reset() {
    for (const caller of this.callers.splice(0)) {
      // A call that is cut off lives on at the server for a while.
      if (!caller.events.names.includes('evtDisconnected')) await caller.hangUp();
      await caller.events.waitFor('evtDisconnected').catch((error) => this.log.line(String(error)));
      await caller.close();
    }
    this.#round += 1;
    this.push.spoil = undefined;
    this.push.comeBack();
    await this.firefox.closePages();
    await this.firefox.dismiss();
    await this.push.connected();
  }

  logs() {
    return [this.server.log, this.log, ...this.callers.map((caller) => caller.log)].map((log) => log.text()).join('\n');
  }
}

/**
 * What a function gives in the page, in time.
 * @param {{ evaluate(run: (value: any) => any, value: any): Promise<any> }} page
 * @param {(value: any) => any} run
 * @param {any} [value]
 */
export function evaluate(page, run, value) {
  return within(page.evaluate(run, value), `${run} ${JSON.stringify(value)}`);
}

/**
 * What the application tells under this name, from its `from`-th word on.
 * @param {{ evaluate(run: (value: any) => any, value: any): Promise<any> }} page
 * @param {string} name
 * @param {number} [from]
 */
export function told(page, name, from = 0) {
  return evaluate(page, ([name, from]) => application.next(name, from), [name, from]);
}

/** @param {{ evaluate(run: (value: any) => any, value: any): Promise<any> }} page */
export function toldSoFar(page) {
  return evaluate(page, () => application.told().length);
}
