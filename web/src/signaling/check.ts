/** The local checks of `makeCall` and `verifyCall`. What passes can still be refused by the server. */

import { peekCcParam } from './cc-param.js';
import { ACCESS_TOKEN, APP_SERVER_DATA, CALL_START_MESSAGE, byteLength } from './limits.js';
import { serviceId, userId, type Read } from './read.js';
import { START_FAIL_REASON, type StartFailReason } from './reasons.js';

export { peekCcParam, type CcParamInfo } from './cc-param.js';

/** A call cannot be started. */
export interface StartFail {
  /** The documented reason. */
  reason: StartFailReason;
  /** For a developer: what to change. */
  message: string;
}

/** What {@link checkMakeCall} looks at. */
export interface MakeCallFields {
  /** The own user. */
  myId?: unknown;
  /** The own service. */
  myServiceId?: unknown;
  /** The callee. */
  peerId?: unknown;
  /** The callee's service. */
  peerServiceId?: unknown;
  /** The app server's token. */
  accessToken?: unknown;
  /** `'audio'`, also when it is missing. */
  mediaType?: unknown;
  /** Text for the app server. */
  appServerData?: unknown;
  /** Text for the callee. */
  callStartMessage?: unknown;
}

/** What {@link checkVerifyCall} looks at. */
export interface VerifyCallFields {
  /** The own user. */
  myId?: unknown;
  /** The own service. */
  myServiceId?: unknown;
  /** `'audio'`, also when it is missing. */
  mediaType?: unknown;
  /** The push's token of the call. */
  ccParam?: unknown;
  /** The app server's token, when the service asks for one. */
  accessToken?: unknown;
}

const { INVALID_PARAM, INVALID_USER_ID, INVALID_SERVICE_ID, ID_CONFLICT } = START_FAIL_REASON;

/** Checks everything about a caller's parameters that can be checked on the device; `undefined` when they are good. */
export function checkMakeCall(params: MakeCallFields): StartFail | undefined {
  return run(() => {
    user(params, 'my');
    user(params, 'peer');
    if (params.myId === params.peerId && params.myServiceId === params.peerServiceId) {
      fail(ID_CONFLICT, 'peerId and peerServiceId are the own ones: call another user');
    }
    if (!params.accessToken) fail(INVALID_PARAM, 'accessToken is missing: the app server makes it');
    text(params, 'accessToken', ACCESS_TOKEN);
    text(params, 'appServerData', APP_SERVER_DATA, START_FAIL_REASON.TOO_LONG_APP_SERVER_DATA);
    text(params, 'callStartMessage', CALL_START_MESSAGE);
    audio(params);
  });
}

/** Checks everything about a callee's parameters that can be checked on the device; `undefined` when they are good. */
export function checkVerifyCall(params: VerifyCallFields): StartFail | undefined {
  return run(() => {
    user(params, 'my');
    text(params, 'accessToken', ACCESS_TOKEN);
    const info = peekCcParam(params.ccParam as string);
    if (!info) fail(START_FAIL_REASON.DECODE_CALL_PARAM, 'ccParam is not what the notify callback had as cc_param');
    else if (info.caller_id === params.myId && info.caller_service_id === params.myServiceId) {
      fail(ID_CONFLICT, 'ccParam is of a call of myId itself');
    }
    audio(params);
  });
}

function run(checks: () => void): StartFail | undefined {
  try {
    checks();
    return undefined;
  } catch (failure) {
    return failure as StartFail;
  }
}

function fail(reason: StartFailReason, message: string): void {
  throw { reason, message } satisfies StartFail;
}

function id(read: Read<string>, value: unknown, reason: StartFailReason, message: string): void {
  try {
    read(value);
  } catch {
    fail(reason, message);
  }
}

function user(params: MakeCallFields, whose: 'my' | 'peer'): void {
  id(userId, params[`${whose}Id`], INVALID_USER_ID, `${whose}Id has 1 to 64 of a-z A-Z 0-9 - _`);
  id(serviceId, params[`${whose}ServiceId`], INVALID_SERVICE_ID, `${whose}ServiceId has 1 to 64 of a-z A-Z 0-9 - _ .`);
}

function audio(params: { mediaType?: unknown }): void {
  if ((params.mediaType ?? 'audio') !== 'audio') fail(INVALID_PARAM, "mediaType is 'audio'");
}

function text<N extends keyof MakeCallFields>(params: { [K in N]?: unknown }, name: N, limit: number, tooLong: StartFailReason = INVALID_PARAM): void {
  const value = params[name];
  if (value == null) return;
  // UTF-8 cannot carry lone surrogates: the server would drop the whole message.
  if (typeof value !== 'string' || /\p{Cs}/u.test(value)) fail(INVALID_PARAM, `${name} is well-formed text`);
  else if (byteLength(value) > limit) fail(tooLong, `${name} has at most ${limit} bytes of UTF-8`);
}
