// Waiting for what must happen, woken by what does happen.

/** Longest wait for anything, in milliseconds. */
export const LIMIT = 30_000;

/** Something did not happen in time. */
export class TooLate extends Error {
  /** @param {string} what what was waited for */
  constructor(what) {
    super(`${what} did not happen in time`);
    this.name = 'TooLate';
  }
}

/**
 * The outcome of `promise`, or a {@link TooLate}.
 * @template T
 * @param {Promise<T>} promise
 * @param {string} what
 * @param {number} [limit] milliseconds
 * @returns {Promise<T>}
 */
export async function within(promise, what, limit = LIMIT) {
  /** @type {NodeJS.Timeout | undefined} */
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new TooLate(what)), limit);
  });
  try {
    return await /** @type {Promise<T>} */ (Promise.race([promise, late]));
  } finally {
    clearTimeout(timer);
  }
}

/** Wakes those who wait for a condition whenever something may have changed. */
export class Signal {
  /** @type {Set<() => void>} */
  #waiting = new Set();

  /** Something has changed. */
  raise() {
    for (const look of [...this.#waiting]) look();
  }

  /**
   * Waits until `condition` gives something other than undefined. What it throws ends the wait.
   * @template T
   * @param {() => T | undefined} condition looked at now and at each change
   * @param {string | (() => string)} what for the message
   * @param {number} [limit] milliseconds
   * @returns {Promise<T>}
   */
  until(condition, what, limit = LIMIT) {
    return new Promise((resolve, reject) => {
      /** @type {NodeJS.Timeout | undefined} */
      let timer;
      const end = () => {
        clearTimeout(timer);
        this.#waiting.delete(look);
      };
      const look = () => {
        try {
          const found = condition();
          if (found === undefined) return;
          end();
          resolve(found);
        } catch (error) {
          end();
          reject(error);
        }
      };
      timer = setTimeout(() => {
        end();
        reject(new TooLate(typeof what === 'string' ? what : what()));
      }, limit);
      this.#waiting.add(look);
      look();
    });
  }
}

/**
 * @typedef {object} PhoneEvent
 * @property {string} name as the SDK's delegate has it, such as `evtConnected`
 * @property {number} at Unix milliseconds at the phone, with fraction
 * @property {Record<string, any>} data
 */

/** What a phone has told so far, in its order. */
export class Events {
  /** @type {PhoneEvent[]} */
  list = [];
  #signal = new Signal();
  /** @type {string | undefined} */
  #ended;

  /** @param {string} who for messages */
  constructor(who) {
    this.who = who;
  }

  /** @param {PhoneEvent} event */
  push(event) {
    this.list.push(event);
    this.#signal.raise();
  }

  /**
   * Nothing will come any more: who still waits is told why.
   * @param {string} why
   */
  end(why) {
    this.#ended ??= why;
    this.#signal.raise();
  }

  /** Names in order, for messages and for comparing. */
  get names() {
    return this.list.map((event) => event.name);
  }

  /**
   * The first event of this name that `accepts` takes, also one from before, from index `from` on.
   * @param {string} name
   * @param {(event: PhoneEvent) => boolean} [accepts]
   * @param {number} [limit] milliseconds
   * @param {number} [from]
   * @returns {Promise<PhoneEvent>}
   */
  waitFor(name, accepts = () => true, limit = LIMIT, from = 0) {
    return this.#signal.until(
      () => {
        const found = this.list.slice(from).find((event) => event.name === name && accepts(event));
        const last = this.list.findLast((event) => event.name === 'evtDisconnected');
        if (!found && last) throw new Error(`${this.who}: the call ended (${JSON.stringify(last.data)}), before ${name}`);
        if (!found && this.#ended !== undefined) throw new Error(`${this.who}: ${this.#ended}, before ${name}`);
        return found;
      },
      () => `${this.who}: ${name} (so far: ${this.list.map((event) => event.name).join(' ') || 'nothing'})`,
      limit,
    );
  }
}
