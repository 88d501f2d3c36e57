// An application in the smallest form: it takes calls that its service worker hands over, and tells the test what happens.
import { Call } from '@duologue/web';
import { closeCallNotification, onIncomingCall, subscribeToCalls, unsubscribeFromCalls } from '@duologue/web/push';

/** Pitch of what this side says, in Hz. */
const PITCH = 1250;

const context = new AudioContext();
const told = [];
/** @type {Call | undefined} */
let call;

/** The test waits for these by name. */
function tell(name, data = {}) {
  told.push({ name, at: Date.now(), data });
  console.info(name, JSON.stringify(data));
  dispatchEvent(new Event('told'));
}

// A microphone whose sound the other side can recognise.
navigator.mediaDevices.getUserMedia = async () => {
  const oscillator = new OscillatorNode(context, { frequency: PITCH });
  const { stream } = oscillator.connect(new MediaStreamAudioDestinationNode(context));
  oscillator.start();
  await context.resume();
  return stream;
};

const audio = () => document.getElementById('peer');

async function verify({ push, action }) {
  call = new Call();
  const handler = (name) => (data) => tell(name, data);
  const delegate = Object.fromEntries(['evtConnected', 'evtDisconnected'].map((name) => [name, handler(name)]));
  delegate.evtVerified = (data) => {
    tell('evtVerified', data);
    void (action === 'answer' ? call.acceptCall() : call.endCall()).catch((error) => tell('error', { error: String(error) }));
  };
  await call.verifyCall({
    myId: push.app_callee_uid,
    myServiceId: push.app_callee_sid,
    mediaType: 'audio',
    ccParam: push.cc_param,
    mediaHtmlElement: { peer: { audio: audio() } },
    delegate,
  });
}

onIncomingCall((incoming) => {
  tell(incoming.push.type === 'cancel' ? 'cancel' : `call ${incoming.action}`, incoming);
  if (incoming.push.type === 'call' && incoming.action !== 'ring') {
    verify(incoming).catch((error) => tell('error', { error: String(error) }));
  }
});

new BroadcastChannel('push-test').onmessage = ({ data }) => tell(data.name, data);

async function json(path, body) {
  const options = body && { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
  const answer = await fetch(path, options);
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  return answer.status === 204 ? undefined : answer.json();
}

globalThis.application = {
  async register(worker = '/sw.js') {
    await navigator.serviceWorker.register(worker);
    await navigator.serviceWorker.ready;
  },

  /** Signs in and subscribes; resolves with the subscription. */
  async subscribe(user) {
    await this.register();
    const serviceWorker = await navigator.serviceWorker.ready;
    const { public_key: vapidKey } = await json('/app/push-key');
    const subscription = await subscribeToCalls({ serviceWorker, vapidKey });
    await json('/app/subscribe', { user_id: user, subscription });
    return subscription;
  },

  async unsubscribe() {
    const endpoint = await unsubscribeFromCalls();
    await json('/app/unsubscribe', { endpoint });
    return endpoint;
  },

  /** The reason for which a subscription fails. */
  failure: (params) => subscribeToCalls(params).then(() => undefined, (error) => ({ name: error.name, reason: error.reason })),

  /** Resolves with what was told from index `from` on under this name, when there is something. */
  next(name, from = 0) {
    return new Promise((resolve) => {
      const look = () => {
        const found = told.slice(from).find((one) => one.name === name);
        if (found) {
          removeEventListener('told', look);
          resolve(found);
        }
      };
      addEventListener('told', look);
      look();
    });
  },

  told: () => told,
  close: closeCallNotification,
  end: () => call?.endCall(),

  async notifications() {
    const registration = await navigator.serviceWorker.ready;
    return (await registration.getNotifications()).map(({ tag, title, body }) => ({ tag, title, body }));
  },

  /** The loudest pitch of what is heard, in Hz, once it is there; and how far it stands out, in dB. */
  async pitch() {
    await context.resume();
    const analyser = new AnalyserNode(context, { fftSize: 8192, smoothingTimeConstant: 0 });
    new MediaStreamAudioSourceNode(context, { mediaStream: audio().srcObject }).connect(analyser);
    const bins = new Float32Array(analyser.frequencyBinCount);
    for (;;) {
      await new Promise(requestAnimationFrame);
      analyser.getFloatFrequencyData(bins);
      const top = bins.indexOf(Math.max(...bins));
      if (bins[top] > -60) {
        return { hz: (top * context.sampleRate) / analyser.fftSize, db: bins[top] };
      }
    }
  },
};
