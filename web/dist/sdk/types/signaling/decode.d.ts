/** Reads messages of the server. What passes has kept every limit of `limits.ts`. */
import type { ServerEnvelope } from './messages.js';
/**
 * Reads one WebSocket text message of the server; `undefined` when it is malformed or breaks a limit, to be counted and
 * dropped. A message of an unknown type is given as `unknown`; unknown fields are left out.
 */
export declare function decode(json: string): ServerEnvelope | undefined;
