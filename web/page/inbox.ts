/** Where calls come in: the app server's push channel, and Web Push by way of the service worker. */
import { Emitter } from './emitter.ts';

/** A call as the app server pushes it. */
export interface CallPush {
  type: 'call';
  /** The call. */
  sid: string;
  app_callee_uid: string;
  app_callee_sid: string;
  app_call_type: string;
  /** What `verifyCall` takes. */
  cc_param: string;
  app_caller_uid: string;
  app_caller_sid: string;
}

/** What the app server pushes. */
export type Push = CallPush | { type: 'cancel'; sid: string };

/** Whether the server can reach this page. */
export type Presence = 'connecting' | 'online' | 'reconnecting';

const FIRST_DELAY = 500;
const LONGEST_DELAY = 8_000;
/** Calls that are remembered, so that one that comes twice rings once. */
const SEEN = 64;

/** Reads a push; `undefined` when it is none. */
export function readPush(value: unknown): Push | undefined {
  if (typeof value !== 'object' || value === null) {
    return undefined;
  }
  const push = value as Record<string, unknown>;
  const isText = (name: string): boolean => typeof push[name] === 'string' && push[name] !== '';
  if (push['type'] === 'cancel' && isText('sid')) {
    return { type: 'cancel', sid: push['sid'] as string };
  }
  const needed = ['sid', 'app_callee_uid', 'app_callee_sid', 'app_call_type', 'cc_param', 'app_caller_uid', 'app_caller_sid'];
  if (push['type'] === 'call' && needed.every(isText)) {
    return value as CallPush;
  }
  return undefined;
}

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
