// One phone's way to the server: an own origin, which serves the test page and the SDK under test, passes everything else on,
// and can cut the phone's sockets.
import { createReadStream, existsSync, statSync } from 'node:fs';
import { createServer, request as ask } from 'node:http';
import { connect } from 'node:net';
import { extname, join, normalize } from 'node:path';

const TYPES = /** @type {Record<string, string>} */ ({
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.wav': 'audio/wav',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.webmanifest': 'application/manifest+json',
});
/** Longest report of a page, in bytes. */
const LONGEST = 4 * 1024 * 1024;

/**
 * @typedef {object} Mount
 * @property {string} prefix such as `/test/`
 * @property {string} folder
 */

/** An HTTP and WebSocket proxy for one phone. */
export class Proxy {
  /** @type {Set<{ client: import('node:stream').Duplex, server: import('node:net').Socket, path: string }>} */
  #tunnels = new Set();
  #server = createServer();
  /** Times that signalling sockets were opened. */
  opened = 0;
  /** Set to leave new signalling sockets unanswered until it is cleared. */
  blocked = false;

  /**
   * @param {number} upstream port of the server
   * @param {Mount[]} mounts folders that are served instead of asking the server
   * @param {(path: string, body: Buffer) => void} [report] takes what the page posts to `/test/report/…`
   */
  constructor(upstream, mounts, report = () => {}) {
    this.upstream = upstream;
    this.mounts = mounts;
    this.report = report;
    this.port = 0;
  }

  get origin() {
    return `http://127.0.0.1:${this.port}`;
  }

  /**
   * @param {number} [port] a free one when 0
   * @returns {Promise<this>}
   */
  async start(port = 0) {
    this.#server.on('request', (request, response) => this.#request(request, response));
    this.#server.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head));
    await new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, '127.0.0.1', () => resolve(undefined));
    });
    this.port = /** @type {import('node:net').AddressInfo} */ (this.#server.address()).port;
    return this;
  }

  /**
   * Cuts the sockets of signalling at once, without a word, as a network does that has gone.
   * @returns {number} how many there were
   */
  cut() {
    const mine = [...this.#tunnels].filter((tunnel) => tunnel.path.startsWith('/ws'));
    for (const { client, server } of mine) {
      if ('resetAndDestroy' in client) /** @type {import('node:net').Socket} */ (client).resetAndDestroy();
      else client.destroy();
      server.resetAndDestroy();
    }
    return mine.length;
  }

  async stop() {
    for (const { client, server } of this.#tunnels) {
      client.destroy();
      server.destroy();
    }
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(() => resolve(undefined)));
  }

  /**
   * @param {import('node:http').IncomingMessage} request
   * @param {import('node:http').ServerResponse} response
   */
  #request(request, response) {
    const path = new URL(request.url ?? '/', this.origin).pathname;
    if (path.startsWith('/test/report/')) {
      this.#reported(path.slice('/test/report/'.length), request, response);
      return;
    }
    for (const { prefix, folder } of this.mounts) {
      if (!path.startsWith(prefix)) continue;
      const file = normalize(join(folder, path.slice(prefix.length)));
      if (file.startsWith(normalize(folder)) && existsSync(file) && statSync(file).isFile()) {
        response.writeHead(200, { 'content-type': TYPES[extname(file)] ?? 'application/octet-stream', 'cache-control': 'no-store' });
        createReadStream(file).pipe(response);
      } else response.writeHead(404).end();
      return;
    }
    const { host: _, ...headers } = request.headers;
    const onward = ask(
      { host: '127.0.0.1', port: this.upstream, path: request.url, method: request.method, headers, agent: false },
      (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      },
    );
    onward.on('error', () => (response.headersSent ? response.destroy() : response.writeHead(502).end()));
    request.pipe(onward);
  }

  /**
   * @param {string} name
   * @param {import('node:http').IncomingMessage} request
   * @param {import('node:http').ServerResponse} response
   */
  #reported(name, request, response) {
    /** @type {Buffer[]} */
    const parts = [];
    let length = 0;
    request.on('data', (part) => {
      length += part.length;
      if (length <= LONGEST) parts.push(part);
    });
    request.on('end', () => {
      if (length <= LONGEST) this.report(name, Buffer.concat(parts));
      response.writeHead(length <= LONGEST ? 204 : 413).end();
    });
  }

  /**
   * @param {import('node:http').IncomingMessage} request
   * @param {import('node:stream').Duplex} client
   * @param {Buffer} head
   */
  #upgrade(request, client, head) {
    const path = request.url ?? '/';
    client.on('error', () => {});
    if (path.startsWith('/ws')) {
      if (this.blocked) {
        client.destroy();
        return;
      }
      this.opened += 1;
    }
    const server = connect({ host: '127.0.0.1', port: this.upstream, noDelay: true });
    const tunnel = { client, server, path };
    this.#tunnels.add(tunnel);
    server.on('connect', () => {
      const lines = [`${request.method} ${path} HTTP/1.1`];
      for (let index = 0; index < request.rawHeaders.length; index += 2) {
        lines.push(`${request.rawHeaders[index]}: ${request.rawHeaders[index + 1]}`);
      }
      server.write(`${lines.join('\r\n')}\r\n\r\n`);
      server.write(head);
      server.pipe(client);
      client.pipe(server);
    });
    // The server is gone: that is for the phone to find out as with any dead server.
    server.on('error', () => client.destroy());
    server.on('close', () => client.destroy());
    client.on('close', () => {
      server.destroy();
      this.#tunnels.delete(tunnel);
    });
  }
}
