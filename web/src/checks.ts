/** What is checked before a call starts, beyond what the protocol asks of its parameters. */

import { CallError } from './errors.js';
import type { CommonParams, MakeCallParams, VerifyCallParams } from './params.js';
import type { StartFail } from './signaling/check.js';
import { TOKEN, byteLength } from './signaling/limits.js';
import { START_FAIL_REASON, type StartFailReason } from './signaling/reasons.js';

/** Parameters of either kind, which the checks have told apart: only a callee has a `ccParam`. */
export type AnyParams = CommonParams & Partial<Omit<MakeCallParams & VerifyCallParams, keyof CommonParams>>;

/** Who has at most one call on a page. */
export function identity({ myServiceId, myId }: CommonParams): string {
  return `${myServiceId}/${myId}`;
}

/** @throws CallError when `refused` is anything true */
export function refuse(refused: unknown, reason: StartFailReason, message: string): void {
  if (refused) {
    throw new CallError(reason, message);
  }
}

/** @throws CallError when the text is none, or too long */
export function limit(name: string, text: unknown, bytes: number): void {
  const bad = text !== null && (typeof text !== 'string' || byteLength(text) > bytes);
  refuse(bad, START_FAIL_REASON.INVALID_PARAM, `${name} has at most ${bytes} bytes of UTF-8`);
}

/**
 * @param fail what is wrong with the parameters for the protocol
 * @throws CallError when the call cannot even be started
 */
export function checkStart(params: AnyParams, fail: StartFail | undefined, deviceKey: string | undefined): void {
  const { INTERNAL_INITIALIZATION_ERROR, INVALID_PARAM } = START_FAIL_REASON;
  if (fail) {
    throw new CallError(fail.reason, fail.message);
  }
  const { mediaHtmlElement, audioInput } = params;
  const element: Partial<HTMLAudioElement> | undefined = mediaHtmlElement?.peer?.audio;
  refuse(!element?.play, INVALID_PARAM, 'mediaHtmlElement.peer.audio is no audio element');
  const silent = audioInput && 'getAudioTracks' in audioInput && !audioInput.getAudioTracks().length;
  refuse(silent, INVALID_PARAM, 'audioInput has no audio track');
  limit('deviceKey', deviceKey ?? '', TOKEN);
  refuse(!('RTCPeerConnection' in globalThis), INTERNAL_INITIALIZATION_ERROR, 'no WebRTC here');
  const insecure = !audioInput && !navigator.mediaDevices;
  refuse(insecure, INTERNAL_INITIALIZATION_ERROR, 'the microphone needs https: or localhost');
}
