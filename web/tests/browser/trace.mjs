// Writes what a page's sockets and connections do to its console, which the run keeps and shows when something fails.

const say = (/** @type {unknown[]} */ ...words) => console.log(words.map(String).join(' ').slice(0, 1500));

const Socket = window.WebSocket;
window.WebSocket = class extends Socket {
  /** @param {[string | URL, (string | string[])?]} parameters */
  constructor(...parameters) {
    super(...parameters);
    this.addEventListener('open', () => say('socket: open'));
    this.addEventListener('message', ({ data }) => say('socket: <', data));
    this.addEventListener('close', ({ code }) => say('socket: closed', code));
  }

  /** @param {string} data */
  send(data) {
    say('socket: >', data);
    super.send(data);
  }
};

let connections = 0;
const Connection = window.RTCPeerConnection;
window.RTCPeerConnection = class extends Connection {
  /** @param {RTCConfiguration} [configuration] */
  constructor(configuration) {
    super(configuration);
    const name = `connection ${(connections += 1)}:`;
    this.addEventListener('connectionstatechange', () => say(name, this.connectionState));
    this.addEventListener('iceconnectionstatechange', () => say(name, 'ICE', this.iceConnectionState));
    this.addEventListener('icecandidateerror', (event) => say(name, 'candidate error', /** @type {any} */ (event).errorText));
    for (const method of /** @type {const} */ (['setLocalDescription', 'setRemoteDescription', 'addIceCandidate'])) {
      const original = /** @type {any} */ (this)[method];
      Object.assign(this, {
        [method]: async (/** @type {any} */ ...given) => {
          try {
            const result = await original.apply(this, given);
            say(name, method, 'done', given[0]?.type ?? given[0]?.candidate ?? '');
            return result;
          } catch (error) {
            say(name, method, 'failed:', error, JSON.stringify(given[0] ?? null));
            throw error;
          }
        },
      });
    }
  }
};
