// The server's half of a WebSocket, as much of RFC 6455 as a push service needs, on node:http's upgraded sockets.
import { createHash } from 'node:crypto';
import { EventEmitter } from 'node:events';

/** RFC 6455 §1.3. */
const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
/** Longest message taken, in bytes. */
const LONGEST = 64 * 1024;
const CONTINUATION = 0;
const TEXT = 1;
const CLOSE = 8;
const PING = 9;
const PONG = 10;

/** Emits `message` with a text, and `close` once. */
export class WebSocketConnection extends EventEmitter {
  #received = Buffer.alloc(0);
  /** @type {Buffer[]} */
  #fragments = [];
  #closed = false;

  /** @param {import('node:stream').Duplex} socket */
  constructor(socket) {
    super();
    this.socket = socket;
    socket.on('data', (/** @type {Buffer} */ bytes) => this.#take(bytes));
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.#end());
  }

  /**
   * Answers an upgrade request; refuses what is none. RFC 6455 §4.2.
   * @param {import('node:http').IncomingMessage} request
   * @param {import('node:stream').Duplex} socket
   * @param {string} protocol the one subprotocol spoken
   * @returns {WebSocketConnection | undefined}
   */
  static accept(request, socket, protocol) {
    const { headers } = request;
    const offered = String(headers['sec-websocket-protocol'] ?? '').split(/\s*,\s*/);
    const key = headers['sec-websocket-key'];
    if (headers.upgrade?.toLowerCase() !== 'websocket' || headers['sec-websocket-version'] !== '13' || !key || !offered.includes(protocol)) {
      socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n');
      return undefined;
    }
    const accept = createHash('sha1').update(key + GUID).digest('base64');
    socket.write(
      'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
        `Sec-WebSocket-Accept: ${accept}\r\nSec-WebSocket-Protocol: ${protocol}\r\n\r\n`,
    );
    return new WebSocketConnection(socket);
  }

  /** @param {string} text */
  send(text) {
    this.#write(TEXT, Buffer.from(text));
  }

  /** Ends it as a server that goes away. */
  close() {
    this.#write(CLOSE, Buffer.from([0x03, 0xe9]));
    this.socket.destroy();
  }

  /**
   * RFC 6455 §5.2, a server's frames are not masked.
   * @param {number} opcode
   * @param {Buffer} payload
   */
  #write(opcode, payload) {
    if (this.#closed || this.socket.destroyed) return;
    const length = payload.length;
    const head = length < 126 ? Buffer.from([0x80 | opcode, length]) : Buffer.from([0x80 | opcode, 126, length >> 8, length & 255]);
    this.socket.write(Buffer.concat([head, payload]));
  }

  /** @param {Buffer} bytes */
  #take(bytes) {
    this.#received = Buffer.concat([this.#received, bytes]);
    for (let size = this.#frame(); size > 0; size = this.#frame()) {
      this.#received = this.#received.subarray(size);
    }
  }

  /** Reads the first frame; its size, or 0 when it is not there yet. */
  #frame() {
    const data = this.#received;
    if (data.length < 2) return 0;
    const final = (data[0] & 0x80) !== 0;
    const opcode = data[0] & 0x0f;
    let length = data[1] & 0x7f;
    let at = 2;
    if (length === 126) {
      if (data.length < 4) return 0;
      length = data.readUInt16BE(2);
      at = 4;
    }
    // §5.1: a client that does not mask is cut off; so is one that sends more than anybody needs.
    if ((data[1] & 0x80) === 0 || length === 127 || length > LONGEST) {
      this.socket.destroy();
      return 0;
    }
    if (data.length < at + 4 + length) return 0;
    const mask = data.subarray(at, at + 4);
    const payload = Buffer.from(data.subarray(at + 4, at + 4 + length));
    for (let i = 0; i < length; i += 1) payload[i] ^= mask[i & 3];
    this.#handle(opcode, final, payload);
    return at + 4 + length;
  }

  /**
   * @param {number} opcode
   * @param {boolean} final
   * @param {Buffer} payload
   */
  #handle(opcode, final, payload) {
    if (opcode === PING) this.#write(PONG, payload);
    if (opcode === CLOSE) {
      this.#write(CLOSE, payload.subarray(0, 2));
      this.socket.end();
    }
    if (opcode !== TEXT && opcode !== CONTINUATION) return;
    this.#fragments.push(payload);
    if (this.#fragments.reduce((sum, part) => sum + part.length, 0) > LONGEST) {
      this.socket.destroy();
    } else if (final) {
      this.emit('message', Buffer.concat(this.#fragments.splice(0)).toString());
    }
  }

  #end() {
    if (this.#closed) return;
    this.#closed = true;
    this.emit('close');
  }
}
