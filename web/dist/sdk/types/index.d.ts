/**
 * 1-to-1 audio calls in the browser, by way of a Duologue server.
 *
 * @packageDocumentation
 */
export { QUALITY_LEVEL } from './media/quality.js';
export { CALL_STATE, Call } from './call.js';
export { devices, getBrowserInfo, type BrowserInfo, type DeviceInfo } from './devices.js';
export { CallError } from './errors.js';
export type { InboundAudio, OutboundAudio, Statistics } from './media/statistics.js';
export type * from './params.js';
export { DISCONNECT_SOURCE, KIT_DISCONNECT_REASON, START_FAIL_REASON, type DisconnectSource, type KitDisconnectReason, type StartFailReason, } from './signaling/reasons.js';
export type { CallState } from './signaling/types.js';
/** The package's version. */
export declare const VERSION: string;
