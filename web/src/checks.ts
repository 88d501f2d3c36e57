/** What is checked before a call starts, beyond what the protocol asks of its parameters. */

import type { CommonParams, MakeCallParams, VerifyCallParams } from './params.js';
import { refuse, text } from './signaling/check.js';
import { TOKEN } from './signaling/limits.js';
import { START_FAIL_REASON } from './signaling/reasons.js';

/** Parameters of either kind, which the checks have told apart: only a callee has a `ccParam`. */
export type AnyParams = CommonParams & Partial<Omit<MakeCallParams & VerifyCallParams, keyof CommonParams>>;

/** Who has at most one call on a page. */
export function identity({ myServiceId, myId }: CommonParams): string {
  return `${myServiceId}/${myId}`;
}

/** @throws CallError when the call cannot even be started here */
export function checkStart(params: AnyParams, deviceKey: string | undefined): void {
  const { INTERNAL_INITIALIZATION_ERROR, INVALID_PARAM } = START_FAIL_REASON;
  const { mediaHtmlElement, audioInput } = params;
  const element: Partial<HTMLAudioElement> | undefined = mediaHtmlElement?.peer?.audio;
  refuse(!element?.play, INVALID_PARAM, 'mediaHtmlElement.peer.audio is none');
  const silent = audioInput && 'getAudioTracks' in audioInput && !audioInput.getAudioTracks().length;
  refuse(silent, INVALID_PARAM, 'audioInput has no audio');
  text('deviceKey', deviceKey, TOKEN);
  refuse(!('RTCPeerConnection' in globalThis), INTERNAL_INITIALIZATION_ERROR, 'no WebRTC here');
  const insecure = !audioInput && !navigator.mediaDevices;
  refuse(insecure, INTERNAL_INITIALIZATION_ERROR, 'no microphone without https:');
}
