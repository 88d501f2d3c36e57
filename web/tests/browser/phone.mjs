// A phone in a page, through the public API of the SDK alone. The microphone is replaced by a recording, and what the audio
// element plays is recorded. Run by `browser-phone.mjs`.
import * as Duologue from '/sdk/duologue.mjs';

const RATE = 48_000;
const EVENTS = [
  'evtWaitConnected',
  'evtVerified',
  'evtConnected',
  'evtDisconnected',
  'evtPeerMicMuted',
  'evtPeerMicUnmuted',
  'evtPeerHold',
  'evtPeerUnhold',
  'evtNetworkUnavailable',
  'evtNetworkReavailable',
  'evtPlaybackBlocked',
  'evtAudioDevice',
];

const element = /** @type {HTMLAudioElement} */ (document.getElementById('peer'));
const context = new AudioContext({ sampleRate: RATE });
const microphone = context.createMediaStreamDestination();
const speaker = new GainNode(context);
/** @type {import('/sdk/duologue.mjs').Call} */
let call;
/** @type {{ user: string, service: string, token?: string, relay?: 'udp' | 'tcp' }} */
let settings;
/** @type {RTCPeerConnection[]} */
const connections = [];

// Events go one after the other, so that they arrive in their order; sound goes beside them, as much at a time as there is.
let events = Promise.resolve();
/** @type {Int16Array[]} */
let unsent = [];
let sending = false;
/** Samples recorded so far. */
let recorded = 0;
/** Reports so far. */
let reports = 0;

/**
 * @param {string} name
 * @param {BodyInit} body
 */
async function report(name, body) {
  reports += 1;
  const number = reports;
  // A browser breaks its requests off when an interface of the machine comes or goes; the number shows what had arrived all the same.
  for (let attempt = 0; attempt < 5; attempt += 1) {
    try {
      await fetch(`/test/report/${name}/${number}`, { method: 'POST', body });
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
  // The run is over and nobody listens any more.
}

/** @param {Int16Array} pcm */
async function heard(pcm) {
  recorded += pcm.length;
  unsent.push(pcm);
  if (sending) return;
  sending = true;
  while (unsent.length) await report('heard', new Blob(unsent.splice(0)));
  sending = false;
}

/**
 * @param {string} name
 * @param {object} [data]
 */
function told(name, data = {}) {
  const body = JSON.stringify({ name, at: performance.timeOrigin + performance.now(), data });
  events = events.then(() => report('event', body));
}

const delegate = Object.fromEntries(EVENTS.map((name) => [name, (/** @type {object} */ data) => told(name, data)]));

/** What the element plays goes to the recorder, and only what it plays. */
function recordElement() {
  /** @type {MediaStreamAudioSourceNode | undefined} */
  let source;
  const source_ = Object.getOwnPropertyDescriptor(HTMLMediaElement.prototype, 'srcObject');
  const connect = () => {
    source?.disconnect();
    source = undefined;
    const stream = element.srcObject;
    if (!(stream instanceof MediaStream) || !stream.getAudioTracks().length) return;
    source = context.createMediaStreamSource(stream);
    source.connect(speaker);
  };
  Object.defineProperty(element, 'srcObject', {
    get: () => source_?.get?.call(element),
    set: (stream) => {
      source_?.set?.call(element, stream);
      stream?.addEventListener('addtrack', connect);
      stream?.addEventListener('removetrack', connect);
      connect();
    },
  });
  const loudness = () => {
    speaker.gain.value = element.paused || element.muted ? 0 : element.volume;
  };
  for (const name of ['play', 'playing', 'pause', 'volumechange', 'emptied']) element.addEventListener(name, loudness);
  loudness();
}

/** @param {{ says: string }} options */
async function sound({ says }) {
  const source =
    says === 'tone'
      ? new OscillatorNode(context, { frequency: 440 })
      : new AudioBufferSourceNode(context, { buffer: await clip(says), loop: true });
  const gain = new GainNode(context, { gain: says === 'tone' ? 0.2 : 1 });
  source.connect(gain).connect(microphone);
  source.start();
  navigator.mediaDevices.getUserMedia = async (constraints) => {
    if (!constraints?.audio || constraints.video) throw new DOMException('this phone has a microphone only', 'NotFoundError');
    return new MediaStream(microphone.stream.getAudioTracks().map((track) => track.clone()));
  };
  await context.audioWorklet.addModule('recorder.worklet.mjs');
  const recorder = new AudioWorkletNode(context, 'recorder', { channelCount: 1, channelCountMode: 'explicit' });
  recorder.port.onmessage = ({ data }) => {
    if (data.pcm) heard(new Int16Array(data.pcm));
    else told('firstSound');
  };
  speaker.connect(recorder).connect(context.destination);
  recordElement();
  await context.resume();
}

/** @param {string} name */
async function clip(name) {
  const answer = await fetch(`/test/clips/speech-${name}.wav`);
  return context.decodeAudioData(await answer.arrayBuffer());
}

/** What the SDK wants to know of either side of a call. */
function mine() {
  return {
    myId: settings.user,
    myServiceId: settings.service,
    mediaType: 'audio',
    mediaHtmlElement: { peer: { audio: element } },
    delegate,
  };
}

async function token() {
  if (settings.token) return settings.token;
  const answer = await fetch('/app/token', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ user_id: settings.user }),
  });
  return (await answer.json()).access_token;
}

/** @param {string} ccParam */
async function verify(ccParam) {
  told('verifyCall');
  try {
    await call.verifyCall({ ...mine(), ccParam });
  } catch (error) {
    told('verifyCallFailed', { reason: error.reason, message: error.message });
  }
}

/** Keeps the connections that the SDK makes; with a relay, they know of the servers with its protocol only. */
function watchConnections() {
  const fitting = (/** @type {RTCConfiguration} */ { iceServers = [], ...rest }) => ({
    ...rest,
    iceServers: iceServers
      .map((server) => ({ ...server, urls: [server.urls].flat().filter((url) => url.startsWith('turn:') && protocolOf(url) === settings.relay) }))
      .filter(({ urls }) => urls.length),
  });
  const choose = (/** @type {RTCConfiguration | undefined} */ given) => (settings.relay && given ? fitting(given) : given);
  window.RTCPeerConnection = class extends RTCPeerConnection {
    constructor(/** @type {RTCConfiguration} */ configuration) {
      super(choose(configuration));
      connections.push(this);
    }

    setConfiguration(/** @type {RTCConfiguration} */ configuration) {
      super.setConfiguration(choose(configuration));
    }
  };
}

/** RFC 7065 §3.1: UDP unless another transport is named. */
function protocolOf(/** @type {string} */ url) {
  return /[?&]transport=(\w+)/.exec(url)?.[1] ?? 'udp';
}

/** The way of the media, of the connection that stands. */
async function path() {
  const connection = connections.findLast(({ connectionState }) => connectionState === 'connected');
  if (!connection) throw new Error('no connection stands');
  const all = [...(await connection.getStats()).values()];
  const transport = all.find(({ type, selectedCandidatePairId }) => type === 'transport' && selectedCandidatePairId);
  const pair = all.find(({ type, id, selected }) => type === 'candidate-pair' && (selected || id === transport?.selectedCandidatePairId));
  const local = all.find(({ id }) => id === pair?.localCandidateId);
  return {
    kind: local?.candidateType,
    protocol: local?.relayProtocol,
    generation: /^a=ice-ufrag:(.*)$/m.exec(connection.currentLocalDescription?.sdp ?? '')?.[1]?.trim(),
  };
}

/** Whether what should play plays, for the log of a failure. */
function soundState() {
  const { paused, muted, volume, currentTime, readyState, srcObject } = element;
  const tracks = srcObject instanceof MediaStream ? srcObject.getTracks() : [];
  return {
    element: { paused, muted, volume, currentTime, readyState },
    tracks: tracks.map((track) => ({ muted: track.muted, enabled: track.enabled, state: track.readyState })),
    context: { state: context.state, currentTime: context.currentTime, gain: speaker.gain.value },
    hidden: document.hidden,
  };
}

/** A promise of the SDK that nothing but its event matters of. */
async function quietly(/** @type {Promise<void>} */ promise) {
  await promise;
  return null;
}

window.addEventListener('error', ({ message }) => console.error(`uncaught: ${message}`));
window.addEventListener('unhandledrejection', ({ reason }) => console.error(`unhandled rejection: ${reason?.stack ?? reason}`));

/** @type {Record<string, (argument: any) => Promise<unknown>>} */
const commands = {
  async setUp(options) {
    settings = options;
    watchConnections();
    call = new Duologue.Call(settings.relay ? { iceTransportPolicy: 'relay' } : {});
    await sound(options);
  },
  async call({ peer, peerService }) {
    const accessToken = await token();
    told('makeCall');
    await call.makeCall({ ...mine(), peerId: peer, peerServiceId: peerService, accessToken });
  },
  listen: (ccParam) =>
    new Promise((resolve, reject) => {
      if (ccParam) {
        verify(ccParam);
        resolve(null);
        return;
      }
      const socket = new WebSocket(`${location.origin.replace('http', 'ws')}/app/push?user=${settings.user}`);
      socket.onopen = () => resolve(null);
      socket.onerror = () => reject(new Error('no push channel'));
      socket.onmessage = ({ data }) => {
        const message = JSON.parse(data);
        if (message.type === 'call') verify(message.cc_param);
      };
    }),
  answer: () => {
    told('acceptCall');
    return quietly(call.acceptCall());
  },
  decline: () => quietly(call.endCall()),
  mute: (muted) => quietly(call.muteMyAudio(muted)),
  hold: (reason) => quietly(call.hold(reason ?? undefined)),
  unhold: () => quietly(call.unhold()),
  hangUp: (phrase) => quietly(call.endCall(phrase ?? undefined)),
  recorded: async () => recorded,
  path,
  changeNetwork: async () => {
    window.dispatchEvent(new Event('online'));
    return null;
  },
  stats: async () => ({ ...(await call.getCurrentStats()), sound: soundState() }),
};

Object.assign(window, {
  /**
   * @param {[string, unknown]} command
   */
  async phone([name, argument]) {
    try {
      return { value: (await commands[name](argument)) ?? null };
    } catch (error) {
      return { error: `${name}: ${error?.reason ?? error?.name}: ${error?.message ?? error}` };
    }
  },
});
told('ready');
