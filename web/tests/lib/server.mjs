// The call server under test, as a process of its own.
import { execFile, spawn } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createServer as createTcpServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { Log } from './log.mjs';
import { guard } from './resources.mjs';
import { Signal, within } from './wait.mjs';

/** The program under test. */
export const BINARY = process.env.DUOLOGUE_BIN ?? fileURLToPath(new URL('../../../target/debug/duologue', import.meta.url));

// Phones get the SDK under test from their proxies; what else is set for servers is not for those of a run.
const ENVIRONMENT = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('DUOLOGUE_')));

/**
 * A TCP port that nobody listens on.
 * @returns {Promise<number>}
 */
export async function freePort() {
  const server = createTcpServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  server.close();
  await once(server, 'close');
  return port;
}

/** `duologue server`, on one port and one data folder for all its lives. */
export class CallServer {
  /** @type {import('node:child_process').ChildProcess | undefined} */
  #child;
  log = new Log('server');

  /**
   * @param {number} port
   * @param {string} data folder
   * @param {string[]} options
   */
  constructor(port, data, options) {
    this.port = port;
    this.data = data;
    this.options = options;
  }

  /**
   * A development server.
   * @param {import('./resources.mjs').Resources} resources
   * @returns {Promise<CallServer>}
   */
  static async development(resources) {
    const server = new CallServer(await freePort(), resources.folder('server'), ['--dev']);
    resources.defer(() => server.kill());
    await server.start();
    return server;
  }

  /** Starts it, again after {@link kill}; resolves when it listens. */
  async start() {
    const child = spawn(
      BINARY,
      ['server', ...this.options, '--listen', `127.0.0.1:${this.port}`, '--stun-listen', '127.0.0.1:0', '--data', this.data],
      { stdio: ['ignore', 'pipe', 'pipe'], env: ENVIRONMENT },
    );
    guard(child);
    this.#child = child;
    this.log.line(`started as process ${child.pid}`);
    this.log.follow(child.stderr);
    const listening = new Promise((resolve, reject) => {
      child.stdout.on('data', (text) => String(text).includes('listening on') && resolve(undefined));
      child.once('error', reject);
      child.once('exit', (code, signal) => reject(new Error(`the server ended (${code ?? signal})\n${this.log.text()}`)));
    });
    this.log.follow(child.stdout);
    await within(listening, 'start of the server');
  }

  /** Kills it as `kill -9` does; resolves when it is gone. */
  async kill() {
    const child = this.#child;
    this.#child = undefined;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await within(gone, 'end of the server');
    this.log.line('killed');
  }
}

/**
 * A server that is not for development, with a service of its own and an app server in this process: for what the development
 * server has no setting for.
 */
export class ConfiguredServer {
  /** @type {import('node:http').Server | undefined} */
  #appServer;
  /** @type {{ callee: string, ccParam: string }[]} */
  #pushed = [];
  #signal = new Signal();
  service = 'shop';
  #key = '';
  #secret = '';

  /** @param {CallServer} server */
  constructor(server) {
    this.server = server;
  }

  /**
   * @param {import('./resources.mjs').Resources} resources
   * @param {string} configuration TOML
   * @param {string[]} origins of the browser phones
   */
  static async start(resources, configuration, origins) {
    const data = resources.folder('configured');
    const port = await freePort();
    const file = join(data, 'duologue.toml');
    writeFileSync(file, configuration);
    const configured = new ConfiguredServer(new CallServer(port, join(data, 'data'), ['--config', file]));
    resources.defer(() => configured.server.kill());
    const callbacks = await configured.#listen(resources);
    const run = promisify(execFile);
    const at = ['--data', configured.server.data];
    const { stdout } = await run(BINARY, ['service', ...at, 'add', configured.service, '--notify-callback', callbacks]);
    configured.#key = match(stdout, /API key:?\s+(\S+)/i);
    configured.#secret = match(stdout, /secret:?\s+([0-9a-f]{64})/i);
    if (origins.length) await run(BINARY, ['service', ...at, 'set-origins', configured.service, ...origins]);
    await configured.server.start();
    return configured;
  }

  /**
   * An access token, as an app server issues it.
   * @param {string} user
   */
  token(user) {
    const part = (/** @type {object} */ value) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const signed = `${part({ alg: 'HS256', typ: 'JWT' })}.${part({
      sub: this.service,
      uid: user,
      iss: this.#key,
      iat: Math.floor(Date.now() / 1000),
    })}`;
    return `${signed}.${createHmac('sha256', this.#secret).update(signed).digest('base64url')}`;
  }

  /**
   * What the app server is told to push to `callee`.
   * @param {string} callee
   */
  pushed(callee) {
    return this.#signal.until(
      () => this.#pushed.find((push) => push.callee === callee)?.ccParam,
      `notify callback for ${callee}`,
    );
  }

  /** @param {import('./resources.mjs').Resources} resources */
  async #listen(resources) {
    const appServer = createServer((request, response) => {
      const query = new URL(request.url ?? '/', 'http://app').searchParams;
      this.#pushed.push({ callee: query.get('to_user_id') ?? '', ccParam: query.get('param') ?? '' });
      this.#signal.raise();
      response.writeHead(200).end();
    });
    this.#appServer = appServer;
    resources.defer(() => {
      appServer.closeAllConnections();
      appServer.close();
    });
    appServer.listen(0, '127.0.0.1');
    await once(appServer, 'listening');
    return `http://127.0.0.1:${/** @type {import('node:net').AddressInfo} */ (appServer.address()).port}/notify`;
  }
}

/**
 * @param {string} text
 * @param {RegExp} pattern
 */
function match(text, pattern) {
  const found = pattern.exec(text)?.[1];
  if (!found) throw new Error(`no ${pattern} in: ${text}`);
  return found;
}
