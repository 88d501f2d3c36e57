/** A call server in small: the server's half of the session protocol, and WebSockets that lead to it. */

import type { ClientEnvelope, ClientMessage } from '../../../src/signaling/messages.js';

/** Anything that goes over the wire. */
type Wire = Record<string, unknown> & { type: string };

/** A WebSocket of the page, whose other end is a {@link FakeServer}. */
export class FakeSocket {
  static readonly OPEN = 1;
  /** Where new sockets lead to. */
  static server: FakeServer;
  readyState = 0;
  onopen: (() => void) | undefined;
  onmessage: ((event: { data: string }) => void) | undefined;
  onclose: (() => void) | undefined;

  constructor(readonly url: string) {
    if (!/^wss?:/.test(url)) throw new SyntaxError('no address');
    FakeSocket.server.sockets.push(this);
    if (FakeSocket.server.reachable) queueMicrotask(() => this.open());
    else if (!FakeSocket.server.silent) queueMicrotask(() => this.break());
  }

  open(): void {
    if (this.readyState !== 0) return;
    this.readyState = 1;
    this.onopen?.();
  }

  /** The page sends. */
  send(data: string): void {
    FakeSocket.server.carry(() => FakeSocket.server.receive(this, JSON.parse(data) as ClientEnvelope), this);
  }

  /** The page closes. */
  close(): void {
    this.readyState = 3;
  }

  /** The network closes. */
  break(): void {
    if (this.readyState === 3) return;
    this.readyState = 3;
    queueMicrotask(() => this.onclose?.());
  }
}

/** The server. Frames arrive in a later microtask, unless the connection breaks first. */
export class FakeServer {
  /** Every socket that the page opened. */
  sockets: FakeSocket[] = [];
  /** Connections can be made. */
  reachable = true;
  /** Connections that cannot be made do not fail either. */
  silent = false;
  /** Nothing that arrives is answered. */
  deaf = false;
  /** Of all frames, counted over both directions, this one is lost and breaks its connection. */
  cutAt = -1;
  frames = 0;
  /** What the page said, in order. */
  heard: ClientMessage[] = [];
  /** Greetings, in order. */
  hellos: ClientEnvelope[] = [];
  pings = 0;
  /** Called with each numbered message. */
  onMessage: ((message: ClientMessage) => void) | undefined;
  heartbeat = 10_000;
  iceServers: { urls: string[]; username?: string; credential?: string }[] = [];
  #socket: FakeSocket | undefined;
  #session = 0;
  #received = 0;
  #queue: { seq: number; message: Wire }[] = [];
  #next = 1;

  /** Loses all memory, as if restarted without its journal. */
  forget(): void {
    this.#session += 1000;
    this.#received = 0;
    this.#queue = [];
    this.#next = 1;
  }

  /** The connection that is in use breaks. */
  break(): void {
    this.#socket = undefined;
    this.sockets.at(-1)?.break();
  }

  /** Says something that is numbered. */
  say(message: Wire): void {
    const entry = { seq: this.#next++, message };
    this.#queue.push(entry);
    this.#transmit(entry.message, entry.seq);
  }

  /** Says something that is not numbered. */
  sayUnnumbered(message: Wire): void {
    this.#transmit(message, 0);
  }

  /** Lets a frame arrive, or the connection break instead. */
  carry(arrive: () => void, socket: FakeSocket): void {
    const at = this.frames++;
    queueMicrotask(() => {
      if (socket.readyState !== 1) return;
      if (at === this.cutAt) {
        this.#socket = undefined;
        socket.break();
      } else arrive();
    });
  }

  /** A frame of the page arrived. */
  receive(socket: FakeSocket, { v: _, seq, ack, ...message }: ClientEnvelope): void {
    if (this.deaf) return;
    if (message.type === 'hello') {
      this.hellos.push({ v: 1, seq, ack, ...message });
      this.#socket = socket;
      const resumed = message.resume === `resume-${this.#session}`;
      if (!resumed) {
        this.#session += 1;
        this.#received = 0;
        this.#queue = [];
        this.#next = 1;
      }
      this.#drop(ack);
      const policy = { pre_connect: true, verified_after_ms: 1000, connect_timeout_ms: 15_000 };
      const welcome = { session: 's', resume: `resume-${this.#session}`, heartbeat_ms: this.heartbeat, resumed, ice_servers: this.iceServers, policy };
      this.#transmit({ type: 'welcome', ...welcome }, 0);
      this.#queue.forEach((entry) => this.#transmit(entry.message, entry.seq));
      return;
    }
    if (socket !== this.#socket) return;
    this.#drop(ack);
    if (message.type === 'ping') {
      this.pings += 1;
      this.#transmit({ type: 'pong' }, 0);
    } else if (seq === this.#received + 1) {
      this.#received = seq;
      this.heard.push(message as ClientMessage);
      this.onMessage?.(message as ClientMessage);
      this.#transmit({ type: 'ack' }, 0);
    } else if (seq > 0) this.#transmit({ type: 'ack' }, 0);
  }

  #drop(ack: number): void {
    this.#queue = this.#queue.filter((entry) => entry.seq > ack);
  }

  #transmit(message: Wire, seq: number): void {
    const socket = this.#socket;
    if (!socket || socket.readyState !== 1) return;
    const data = JSON.stringify({ v: 1, seq, ack: this.#received, ...message });
    this.carry(() => socket.onmessage?.({ data }), socket);
  }
}
