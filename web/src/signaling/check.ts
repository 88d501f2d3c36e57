/** The local checks of `makeCall` and `verifyCall`. What passes can still be refused by the server. */

import { CallError } from '../errors.js';
import { peekCcParam } from './cc-param.js';
import { ACCESS_TOKEN, APP_SERVER_DATA, CALL_START_MESSAGE, byteLength } from './limits.js';
import { serviceId, userId, type Read } from './read.js';
import { START_FAIL_REASON, type StartFailReason } from './reasons.js';

export { peekCcParam, type CcParamInfo } from './cc-param.js';

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

/**
 * Checks everything about a caller's parameters that can be checked on the device.
 *
 * @throws CallError
 */
export function checkMakeCall(params: MakeCallFields): void {
  user(params, 'my');
  user(params, 'peer');
  const { myId, myServiceId, peerId, peerServiceId, accessToken, appServerData, callStartMessage } = params;
  refuse(myId === peerId && myServiceId === peerServiceId, ID_CONFLICT, 'peerId is myId');
  refuse(!accessToken, INVALID_PARAM, 'accessToken is missing');
  text('accessToken', accessToken, ACCESS_TOKEN);
  text('appServerData', appServerData, APP_SERVER_DATA, START_FAIL_REASON.TOO_LONG_APP_SERVER_DATA);
  text('callStartMessage', callStartMessage, CALL_START_MESSAGE);
  audio(params);
}

/**
 * Checks everything about a callee's parameters that can be checked on the device.
 *
 * @throws CallError
 */
export function checkVerifyCall(params: VerifyCallFields): void {
  user(params, 'my');
  text('accessToken', params.accessToken, ACCESS_TOKEN);
  const info = peekCcParam(params.ccParam as string);
  refuse(!info, START_FAIL_REASON.DECODE_CALL_PARAM, 'ccParam is no cc_param');
  const own = info?.caller_id === params.myId && info?.caller_service_id === params.myServiceId;
  refuse(own, ID_CONFLICT, 'ccParam is of a call by myId');
  audio(params);
}

/** @throws CallError when `refused` is anything true */
export function refuse(refused: unknown, reason: StartFailReason, message: string): void {
  if (refused) throw new CallError(reason, message);
}

/** @throws CallError unless the value is missing, or text of at most so many bytes */
export function text(name: string, value: unknown, bytes: number, tooLong: StartFailReason = INVALID_PARAM): void {
  if (value == null) return;
  // UTF-8 cannot carry lone surrogates: the server would drop the whole message.
  refuse(typeof value !== 'string' || /\p{Cs}/u.test(value), INVALID_PARAM, `${name} is text`);
  refuse(byteLength(value as string) > bytes, tooLong, `${name} has at most ${bytes} bytes of UTF-8`);
}

function user(params: MakeCallFields, whose: 'my' | 'peer'): void {
  id(userId, params[`${whose}Id`], INVALID_USER_ID, `${whose}Id has 1 to 64 of a-z A-Z 0-9 - _`);
  id(serviceId, params[`${whose}ServiceId`], INVALID_SERVICE_ID, `${whose}ServiceId has 1 to 64 of a-z A-Z 0-9 - _ .`);
}

function id(read: Read<string>, value: unknown, reason: StartFailReason, message: string): void {
  try {
    read(value);
  } catch {
    refuse(true, reason, message);
  }
}

function audio({ mediaType = 'audio' }: { mediaType?: unknown }): void {
  refuse(mediaType !== 'audio', INVALID_PARAM, "mediaType is 'audio'");
}
