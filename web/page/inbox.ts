/** Where calls come in: the app server's push channel, and Web Push by way of the service worker. */
import type { Push } from '../src/push.ts';
import { readPush } from '../src/push-message.ts';
import { Emitter } from './emitter.ts';

/** Whether the server can reach this page. */
export type Presence = 'connecting' | 'online' | 'reconnecting';

const FIRST_DELAY = 500;
const LONGEST_DELAY = 8_000;
/** Calls that are remembered, so that one that comes twice rings once. */
const SEEN = 64;

/** The push channel of one user, connected again for as long as it is open. */
export class Inbox extends Emitter {
  #presence: Presence = 'connecting';
  #socket: WebSocket | undefined;
  #timer: number | undefined;
  #delay = FIRST_DELAY;
  #user: string | undefined;
  readonly #seen: string[] = [];
  readonly #deliver: (push: Push) => void;

  constructor(deliver: (push: Push) => void) {
    super();
    this.#deliver = deliver;
    // A network that came back, or a page that woke up, should not wait for the timer.
    window.addEventListener('online', () => this.#hurry());
    document.addEventListener('visibilitychange', () => {
      if (document.visibilityState === 'visible') {
        this.#hurry();
      }
    });
  }

  /** Whether the server can reach this page. */
  get presence(): Presence {
    return this.#presence;
  }

  /** Listens for calls to `user`. */
  open(user: string): void {
    this.close();
    this.#user = user;
    this.#connect();
  }

  /** Listens no more. */
  close(): void {
    this.#user = undefined;
    this.#delay = FIRST_DELAY;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.close();
    this.#set('connecting');
  }

  /** Takes a push from wherever it came; a call that is known already is dropped. */
  handle(value: unknown): void {
    const push = readPush(value);
    if (push?.type === 'call') {
      if (push.app_callee_uid !== this.#user || this.#seen.includes(push.sid)) {
        return;
      }
      this.#seen.push(push.sid);
      this.#seen.splice(0, this.#seen.length - SEEN);
    }
    if (push !== undefined) {
      this.#deliver(push);
    }
  }

  #connect(): void {
    if (this.#user === undefined) {
      return;
    }
    const address = new URL('/app/push', location.href);
    address.protocol = address.protocol.replace('http', 'ws');
    address.searchParams.set('user', this.#user);
    const socket = new WebSocket(address);
    this.#socket = socket;
    socket.onopen = () => {
      if (socket === this.#socket) {
        this.#delay = FIRST_DELAY;
        this.#set('online');
      }
    };
    socket.onmessage = ({ data }: MessageEvent<unknown>) => {
      if (socket === this.#socket && typeof data === 'string') {
        this.handle(parsed(data));
      }
    };
    socket.onclose = () => {
      if (socket === this.#socket) {
        this.#socket = undefined;
        this.#set('reconnecting');
        // A random part keeps a server that comes back from meeting all its pages at once.
        this.#timer = window.setTimeout(() => this.#connect(), this.#delay * (0.75 + Math.random() / 2));
        this.#delay = Math.min(this.#delay * 2, LONGEST_DELAY);
      }
    };
  }

  #hurry(): void {
    if (this.#user !== undefined && this.#socket === undefined) {
      clearTimeout(this.#timer);
      this.#delay = FIRST_DELAY;
      this.#connect();
    }
  }

  #set(presence: Presence): void {
    if (presence !== this.#presence) {
      this.#presence = presence;
      this.changed();
    }
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
