/** The local checks of `makeCall` and `verifyCall`. What passes can still be refused by the server. */
import { type StartFailReason } from './reasons.js';
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
/**
 * Checks everything about a caller's parameters that can be checked on the device.
 *
 * @throws CallError
 */
export declare function checkMakeCall(params: MakeCallFields): void;
/**
 * Checks everything about a callee's parameters that can be checked on the device.
 *
 * @throws CallError
 */
export declare function checkVerifyCall(params: VerifyCallFields): void;
/** @throws CallError when `refused` is anything true */
export declare function refuse(refused: unknown, reason: StartFailReason, message: string): void;
/** @throws CallError unless the value is missing, or text of at most so many bytes */
export declare function text(name: string, value: unknown, bytes: number, tooLong?: StartFailReason): void;
