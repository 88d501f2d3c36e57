/** What a page has and Node has not: a window, a document, and time that tests move. */

import { mock } from 'node:test';
import { FakeServer, FakeSocket } from './fake-server.js';

/** The page of one test. */
export interface FakePage {
  /** The call server. */
  server: FakeServer;
  /** Lets time pass, with everything that becomes due in it. */
  pass(ms: number): Promise<void>;
  /** Dispatches an event to window or document. */
  wake(name: string, init?: Record<string, unknown>): void;
}

let now = 0;

/** Everything that is under way is done when enough microtasks have run; none of them waits for time. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 40; turn += 1) {
    await Promise.resolve();
  }
}

/** Waits for what no test can hurry, such as cryptography. */
export async function until(condition: () => boolean): Promise<void> {
  const end = Date.now() + 20_000;
  while (!condition()) {
    if (Date.now() > end) throw new Error(`never came: ${String(condition)}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Puts a fresh page in place of the globals. */
export function fakePage(): FakePage {
  mock.timers.reset();
  mock.timers.enable({ apis: ['setTimeout', 'setInterval'] });
  mock.restoreAll();
  now = 0;
  mock.method(performance, 'now', () => now);
  mock.method(Math, 'random', () => 0.5);
  const target = new EventTarget();
  const server = new FakeServer();
  FakeSocket.server = server;
  Object.assign(globalThis, {
    document: new EventTarget(),
    addEventListener: target.addEventListener.bind(target),
    removeEventListener: target.removeEventListener.bind(target),
    WebSocket: FakeSocket,
    location: { href: 'https://calls.example.org/page?x#y' },
  });
  return {
    server,
    async pass(ms: number): Promise<void> {
      // In steps, so that what a timer starts has its own timers in time.
      for (let left = ms; left > 0; left -= 50) {
        const step = Math.min(50, left);
        now += step;
        mock.timers.tick(step);
        await settle();
      }
    },
    wake(name, init = {}): void {
      const event = Object.assign(new Event(name), init);
      (name === 'visibilitychange' || name === 'resume' ? document : target).dispatchEvent(event);
    },
  };
}
