// A push service that a stock Firefox talks to: the protocol of Mozilla's autopush, for one browser at a time.
//
// Browser: WebSocket, subprotocol `push-notification`: hello, register, unregister, notification, ack, nack.
// Sender: POST /wpush/<id>, RFC 8030, with RFC 8292 required.
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';

import { Signal } from '../lib/wait.mjs';
import { check } from './vapid.mjs';
import { WebSocketConnection } from './websocket.mjs';

/** Longest body read, in bytes: more than may be sent, so that too much is told from far too much. */
const BODY = 8 * 1024;

/**
 * @typedef {object} Message
 * @property {string} version
 * @property {string} channel
 * @property {Buffer} body
 * @property {import('node:http').IncomingHttpHeaders} headers
 * @property {number} received Unix ms
 * @property {number} [sent] to the browser, Unix ms
 * @property {number} [code] of the browser's ack: 100 delivered, 101 not decrypted, 102 not delivered; of a nack 3xx
 */

/** The push service. */
export class Autopush {
  /** Everything that senders got accepted, oldest first. @type {Message[]} */
  messages = [];
  /** Refused requests, oldest first. @type {{ status: number, why: string, topic: unknown }[]} */
  refused = [];
  /** Spoils messages on their way: it gets the body and gives another one. @type {((body: Buffer) => Buffer) | undefined} */
  spoil;
  /** @type {WebSocketConnection | undefined} */
  #browser;
  /** Channels by the secret part of their endpoint. @type {Map<string, { channel: string, key: string }>} */
  #channels = new Map();
  #uaid = '';
  #away = false;
  #signal = new Signal();
  origin = '';

  /** @param {import('../lib/resources.mjs').Resources} resources */
  static async start(resources) {
    const service = new Autopush();
    const server = createServer((request, response) => service.#post(request, response));
    server.on('upgrade', (request, socket) => service.#connect(request, socket));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    service.origin = `http://127.0.0.1:${/** @type {import('node:net').AddressInfo} */ (server.address()).port}`;
    resources.defer(() => {
      service.#browser?.close();
      server.closeAllConnections();
      server.close();
    });
    return service;
  }

  /** The browser loses its connection and gets no new one until {@link comeBack}. */
  goAway() {
    this.#away = true;
    this.#browser?.close();
  }

  comeBack() {
    this.#away = false;
  }

  /** Every subscription is over, and the browser is not told. */
  forget() {
    this.#channels.clear();
  }

  /**
   * The first message from index `from` on that `accepts` takes.
   * @param {string} what
   * @param {(message: Message) => boolean} accepts
   * @param {number} [from]
   */
  message(what, accepts, from = 0) {
    return this.#signal.until(
      () => this.messages.slice(from).find(accepts),
      () => `${what} (messages: ${JSON.stringify(this.messages.slice(from).map(({ headers, code }) => [headers.topic, code]))}, refused: ${JSON.stringify(this.refused)})`,
    );
  }

  /**
   * Resolves when the browser has told what became of a message.
   * @param {Message} message
   */
  acknowledged(message) {
    return this.#signal.until(() => message.code, 'acknowledgement of a push message');
  }

  /** Resolves when a browser is connected. */
  connected() {
    return this.#signal.until(() => this.#browser, 'connection of the browser to the push service');
  }

  /**
   * @param {import('node:http').IncomingMessage} request
   * @param {import('node:stream').Duplex} socket
   */
  #connect(request, socket) {
    if (this.#away) {
      socket.end('HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\n\r\n');
      return;
    }
    const browser = WebSocketConnection.accept(request, socket, 'push-notification');
    browser?.on('message', (text) => this.#hear(browser, text));
    browser?.on('close', () => {
      if (this.#browser === browser) this.#browser = undefined;
    });
  }

  /**
   * @param {WebSocketConnection} browser
   * @param {string} text
   */
  #hear(browser, text) {
    const message = JSON.parse(text);
    const answer = (/** @type {object} */ fields) => browser.send(JSON.stringify({ messageType: message.messageType, status: 200, ...fields }));
    switch (message.messageType) {
      case undefined:
        // An empty object is a ping.
        return browser.send('{}');
      case 'hello':
        if (!message.uaid || message.uaid !== this.#uaid) {
          this.#uaid = randomBytes(16).toString('hex');
          this.#channels.clear();
        }
        this.#browser = browser;
        answer({ uaid: this.#uaid, use_webpush: true, broadcasts: {} });
        for (const waiting of this.messages.filter(({ code }) => code === undefined)) this.#deliver(waiting);
        return this.#signal.raise();
      case 'register': {
        const id = randomBytes(24).toString('base64url');
        // Firefox pads its base64url.
        const key = Buffer.from(message.key ?? '', 'base64url').toString('base64url');
        this.#channels.set(id, { channel: message.channelID, key });
        return answer({ channelID: message.channelID, pushEndpoint: `${this.origin}/wpush/${id}` });
      }
      case 'unregister':
        for (const [id, { channel }] of this.#channels) if (channel === message.channelID) this.#channels.delete(id);
        return answer({ channelID: message.channelID });
      case 'ack':
        for (const { version, code } of message.updates ?? []) this.#acknowledge(version, code);
        return;
      case 'nack':
        return this.#acknowledge(message.version, message.code);
      default:
        // Broadcasts and the like are nothing to this service.
    }
  }

  /**
   * @param {string} version
   * @param {number} code
   */
  #acknowledge(version, code) {
    for (const message of this.messages) if (message.version === version) message.code = code;
    this.#signal.raise();
  }

  /**
   * @param {import('node:http').IncomingMessage} request
   * @param {import('node:http').ServerResponse} response
   */
  async #post(request, response) {
    const refuse = (/** @type {number} */ status, /** @type {string} */ why) => {
      this.refused.push({ status, why, topic: request.headers.topic });
      this.#signal.raise();
      response.writeHead(status).end(why);
    };
    const channel = this.#channels.get(/^\/wpush\/([\w-]+)$/.exec(request.url ?? '')?.[1] ?? '');
    if (request.method !== 'POST') return refuse(405, 'only POST');
    const parts = [];
    let length = 0;
    for await (const part of request) {
      length += part.length;
      if (length > BODY) return refuse(413, 'far too long');
      parts.push(part);
    }
    if (!channel) return refuse(410, 'no such subscription');
    const body = Buffer.concat(parts);
    const { headers } = request;
    const refusal = check(headers, body, this.origin, channel.key);
    if (refusal) return refuse(refusal.status, refusal.why);
    const version = randomBytes(12).toString('base64url');
    /** @type {Message} */
    const message = { version, channel: channel.channel, body, headers, received: Date.now() };
    // RFC 8030 §5.4: it replaces those of its topic that the browser has not got.
    if (headers.topic !== undefined) {
      this.messages = this.messages.filter((old) => old.headers.topic !== headers.topic || old.sent !== undefined);
    }
    this.messages.push(message);
    this.#deliver(message);
    response.writeHead(201, { Location: `${this.origin}/m/${version}`, TTL: String(headers.ttl) }).end();
    this.#signal.raise();
  }

  /** @param {Message} message */
  #deliver(message) {
    if (!this.#browser) return;
    if (Date.now() - message.received > Number(message.headers.ttl) * 1000) return;
    message.sent = Date.now();
    const body = this.spoil?.(message.body) ?? message.body;
    const { channel: channelID, version } = message;
    const notification = { messageType: 'notification', channelID, version, data: body.toString('base64url'), headers: { encoding: 'aes128gcm' } };
    this.#browser.send(JSON.stringify(notification));
  }
}
