/** The session with the server across connections: greeting, numbering, heartbeat, reconnection. */

import { decode } from './signaling/decode.js';
import { Link } from './signaling/link.js';
import { encode, type ClientMessage, type Hello, type ServerMessage, type Welcome } from './signaling/messages.js';
import { KIT_DISCONNECT_REASON } from './signaling/reasons.js';

/** From the connection's start to its opening, and from the greeting to its answer, in ms. */
const CONNECT_TIMEOUT = 10_000;
/** A server cannot make us ping more often than this, in ms. */
const SHORTEST_HEARTBEAT = 1_000;
/** How long a server is given to answer when there is a doubt about the connection, in ms. */
const PROBE = 3_000;
/** The pause before connecting again, doubled at each failure, in ms. */
const FIRST_PAUSE = 100;
const LONGEST_PAUSE = 5_000;
/** How long the server is still told of an end that it has not heard of, in ms. */
const TELL_TIMEOUT = 60_000;
/** Longest URL: the contract's limit. */
const MAX_URL = 2_048;
/** Close code of an orderly end (RFC 6455 §7.4.1). */
const NORMAL_CLOSURE = 1_000;

/** What a session tells the call. */
export interface SessionHandlers {
  /** The server let us in, for the first time or again. */
  welcome(welcome: Welcome): void;
  /** Something about the call. */
  message(message: ServerMessage): void;
  /** No connection. A reason when one could not be made, `null` when one that was up broke. */
  down(reason: number | null): void;
}

/** What happens when something comes from outside while no connection is there to hear it. */
type Phase = 'idle' | 'opening' | 'greeting' | 'up' | 'pause' | 'closed';

/**
 * Where the signalling is.
 *
 * @param serverUrl `https://host`, `wss://host/ws`; default the page's own origin. The path is `/ws` when none is named.
 * @param base what a relative address is relative to
 * @returns the address for a WebSocket, or `undefined` when it cannot be one
 */
export function signalingUrl(serverUrl: string | undefined, base: string | undefined): string | undefined {
  try {
    const url = new URL(serverUrl ?? '/', base);
    url.protocol = url.protocol.replace(/^http/, 'ws');
    url.pathname = url.pathname === '/' ? '/ws' : url.pathname;
    url.hash = '';
    return /^wss?:$/.test(url.protocol) && url.href.length <= MAX_URL ? url.href : undefined;
  } catch {
    return undefined;
  }
}

/**
 * One session, over as many WebSockets as it takes.
 *
 * What is said while no connection stands goes out on the next one. It ends after {@link finish}, when the server has
 * acknowledged everything or can no longer be reached.
 */
export class Session {
  readonly #url: string | undefined;
  readonly #hello: Hello;
  readonly #handlers: SessionHandlers;
  readonly #link = new Link();
  readonly #stop = new AbortController();
  #socket: WebSocket | undefined;
  #phase: Phase = 'idle';
  #pause = FIRST_PAUSE;
  #heartbeat = 10_000;
  #finishing = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #dead: ReturnType<typeof setTimeout> | undefined;
  #giveUp: ReturnType<typeof setTimeout> | undefined;

  /**
   * @param url of the WebSocket; `undefined` makes the session fail as soon as it starts
   * @param hello who we are; later connections use the resume token beside it
   * @param handlers what is to be called, never from within a method of this class except {@link start} and {@link check}
   */
  constructor(url: string | undefined, hello: Hello, handlers: SessionHandlers) {
    this.#url = url;
    this.#hello = { ...hello };
    this.#handlers = handlers;
  }

  /** True while a connection stands on which the server let us in. */
  get isOpen(): boolean {
    return this.#link.isOpen;
  }

  /** Connects, once. */
  start(): void {
    const check = (): void => this.check();
    // What may mean that the page slept, or that its network is another one.
    ['online', 'offline', 'pageshow', 'focus'].forEach((name) => addEventListener(name, check, this.#stop));
    ['visibilitychange', 'resume'].forEach((name) => document.addEventListener(name, check, this.#stop));
    this.#connect();
  }

  /**
   * Says something, now or on the next connection.
   *
   * @returns false when too much is unacknowledged: the server is beyond reach, the message is dropped
   */
  send(message: ClientMessage): boolean {
    const taken = this.#link.send(message);
    this.#flush();
    return taken;
  }

  /**
   * The connection may be dead without anybody having said so: the page slept, the network changed, or it is visible again.
   * A connection that is up is asked and given up when it does not answer; one that is waited for is made at once.
   */
  check(): void {
    if (this.#phase === 'up') {
      this.#ping();
      this.#expectWithin(PROBE);
    } else if (this.#phase === 'pause') {
      this.#connect();
    }
  }

  /**
   * The call is over and the connection is closed: at once, or once everything is told, for at most a minute.
   *
   * @param tell whether the server has to hear of it; one that knows nothing of the call must not
   */
  finish(tell: boolean): void {
    if (this.#finishing) {
      return;
    }
    this.#finishing = true;
    if (!tell) {
      this.close();
      return;
    }
    this.#giveUp = setTimeout(() => this.close(), TELL_TIMEOUT);
    this.#closeWhenTold();
  }

  /** Ends the session at once. */
  close(): void {
    clearTimeout(this.#giveUp);
    this.#stop.abort();
    this.#drop('closed', NORMAL_CLOSURE);
  }

  #connect(): void {
    this.#drop('opening');
    const failure = KIT_DISCONNECT_REASON.SERVICE_HTTP_CONNECT_FAIL;
    let socket: WebSocket;
    try {
      // The constructor says by its errors that the address is none, or that this page may not use it.
      socket = new WebSocket(this.#url ?? '');
    } catch {
      this.#lost(KIT_DISCONNECT_REASON.SERVICE_HTTP_INVALID_URL);
      return;
    }
    this.#socket = socket;
    // Events of a socket that was given up are nobody's business any more.
    const guard =
      <E>(handler: (event: E) => void) =>
      (event: E): void => {
        if (this.#socket === socket) {
          handler(event);
        }
      };
    socket.onopen = guard(() => {
      this.#phase = 'greeting';
      this.#transmit(encode({ v: 1, seq: 0, ack: this.#link.received, type: 'hello', ...this.#hello }));
      this.#expectWithin(CONNECT_TIMEOUT);
    });
    socket.onmessage = guard((event: MessageEvent) => this.#receive(event.data));
    socket.onclose = guard(() => this.#lost(this.#phase === 'opening' ? failure : null));
    this.#expectWithin(CONNECT_TIMEOUT, KIT_DISCONNECT_REASON.SERVICE_HTTP_CONNECTION_TIME_OUT);
  }

  #receive(data: unknown): void {
    const envelope = typeof data === 'string' ? decode(data) : undefined;
    if (!envelope) {
      return;
    }
    if (this.#phase === 'up') {
      this.#expectWithin(3 * this.#heartbeat);
    }
    if (envelope.type === 'welcome') {
      if (this.#phase === 'greeting') {
        this.#welcome(envelope, envelope.ack);
      }
    } else if (envelope.type === 'error') {
      if (this.#finishing) {
        // A server that does not know the call any more needs not be told of its end.
        this.close();
      }
      this.#handlers.message(envelope);
    } else if (this.#link.isOpen) {
      const message = this.#link.handle(envelope);
      if (message && !['ack', 'pong', 'unknown'].includes(message.type)) {
        this.#handlers.message(message);
      }
      this.#flush();
      this.#closeWhenTold();
    }
  }

  #welcome(welcome: Welcome, ack: number): void {
    if (!welcome.resumed) {
      this.#link.restart();
    } else if (!this.#link.resume(ack)) {
      // The server remembers another session than we do: a new one is begun.
      this.#hello.resume = undefined;
      this.#lost(null);
      return;
    }
    // From now on the resume token is the credential: the other ones may have expired by the next connection.
    this.#hello.resume = welcome.resume;
    this.#phase = 'up';
    this.#pause = FIRST_PAUSE;
    this.#heartbeat = Math.max(welcome.heartbeat_ms, SHORTEST_HEARTBEAT);
    this.#expectWithin(3 * this.#heartbeat);
    this.#beat();
    this.#handlers.welcome(welcome);
    this.#flush();
    this.#closeWhenTold();
  }

  #beat(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#ping();
      this.#beat();
    }, this.#heartbeat);
  }

  #ping(): void {
    this.#transmit(encode(this.#link.wrap({ type: 'ping' })));
  }

  /** Gives the connection up unless something is heard first. */
  #expectWithin(ms: number, failure: number | null = null): void {
    clearTimeout(this.#dead);
    this.#dead = setTimeout(() => this.#lost(failure), ms);
  }

  /** No connection: another one is tried after a pause, unless nothing is left to say. */
  #lost(reason: number | null): void {
    this.#drop('pause');
    this.#handlers.down(reason);
    this.#closeWhenTold();
    if (this.#phase !== 'pause') {
      return;
    }
    // Half of the pause is random, so that the clients of a server that comes back do not come all at once.
    this.#timer = setTimeout(() => this.#connect(), this.#pause * (0.5 + Math.random() / 2));
    this.#pause = Math.min(this.#pause * 2, LONGEST_PAUSE);
  }

  #drop(phase: Phase, code?: number): void {
    const socket = this.#socket;
    this.#socket = undefined;
    this.#link.close();
    clearTimeout(this.#timer);
    clearTimeout(this.#dead);
    this.#phase = this.#phase === 'closed' ? 'closed' : phase;
    socket?.close(code);
  }

  #flush(): void {
    for (let it = this.#link.pollTransmit(); it; it = this.#link.pollTransmit()) {
      this.#transmit(encode(it));
    }
  }

  #transmit(text: string): void {
    // One that is closing drops it; the protocol sends again what matters.
    if (this.#socket?.readyState === WebSocket.OPEN) {
      this.#socket.send(text);
    }
  }

  #closeWhenTold(): void {
    if (this.#finishing && this.#link.isDrained) {
      this.close();
    }
  }
}
