// The published sample of a 1-to-1 audio call, told in our own words. What it shows is the shape of the API: against the
// original, only the loading of the library, the identifiers and the push block are others. What happens is noted in
// `document.body.dataset` and on the three buttons, for the test that presses them.

const peerAudioElement = document.getElementById('peer-audio');
const planetKit = new Duologue.Call();

// The identifiers: users of the development server, from the page's address.
const names = new URLSearchParams(location.search);
const note = (name, value = true) => {
  document.body.dataset[name] = typeof value === 'string' ? value : JSON.stringify(value);
};

// Caller: make a call.
async function makeCall() {
  const makeCallParams = {
    myId: names.get('me'),
    myServiceId: 'dev',
    peerId: names.get('peer'),
    peerServiceId: 'dev',
    accessToken: await accessToken(),
    mediaType: 'audio',
    mediaHtmlElement: {
      peer: {
        audio: peerAudioElement,
      },
    },
    delegate: {
      evtWaitConnected: () => note('waitConnected'),
      evtConnected: () => note('connected'),
      evtDisconnected: (disconnectedParam) => note('disconnected', disconnectedParam),
    },
  };

  planetKit
    .makeCall(makeCallParams)
    .then(() => {
      note('made');
    })
    .catch((makeCallError) => {
      note('failed', { reason: makeCallError.reason, message: makeCallError.message });
    });
}

// Callee: a push says that somebody calls.
function callVerify(notifyParams) {
  const verifyCallParams = {
    myId: notifyParams.app_callee_uid,
    myServiceId: notifyParams.app_callee_sid,
    mediaType: notifyParams.app_call_type,
    ccParam: notifyParams.cc_param,
    mediaHtmlElement: {
      peer: {
        audio: peerAudioElement,
      },
    },
    delegate: {
      evtVerified: (callVerifiedParams) => note('verified', callVerifiedParams),
      evtConnected: () => note('connected'),
      evtDisconnected: (disconnectedParam) => note('disconnected', disconnectedParam),
    },
  };

  planetKit
    .verifyCall(verifyCallParams)
    .then(() => {
      note('verifying');
    })
    .catch((verifyCallError) => {
      note('failed', { reason: verifyCallError.reason, message: verifyCallError.message });
    });
}

// Callee: answer, after evtVerified.
function acceptCall() {
  planetKit
    .acceptCall()
    .then(() => {
      note('accepted');
    })
    .catch((error) => {
      note('failed', { reason: error.reason, message: error.message });
    });
}

// Either: end the call.
function endCall() {
  planetKit.endCall();
}

// The push block: the development server's own channel instead of a push service.
const channel = new WebSocket(`${location.origin.replace(/^http/, 'ws')}/app/push?user=${names.get('me')}`);
channel.onopen = () => note('ready');
channel.onmessage = (message) => {
  const payload = JSON.parse(message.data);
  if (payload.type === 'call') {
    callVerify(payload);
  }
};

async function accessToken() {
  const body = JSON.stringify({ user_id: names.get('me') });
  const answer = await fetch('/app/token', { method: 'POST', headers: { 'content-type': 'application/json' }, body });
  return (await answer.json()).access_token;
}

document.getElementById('call').onclick = makeCall;
document.getElementById('accept').onclick = acceptCall;
document.getElementById('end').onclick = endCall;
