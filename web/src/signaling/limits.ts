/** Version of the control protocol. */
export const VERSION = 1;
/** Longest text for the app server, in bytes of UTF-8. */
export const APP_SERVER_DATA = 4095;
/** Longest call start message, in bytes of UTF-8. */
export const CALL_START_MESSAGE = 199;
/** Longest release phrase, in bytes of UTF-8. */
export const RELEASE_PHRASE = 127;
/** Longest reason of a hold, in bytes of UTF-8. */
export const HOLD_REASON = 256;
/** Longest `cc_param`, in bytes. */
export const CC_PARAM = 1024;
/** Longest user id and service id, in characters. */
export const ID = 64;
/** Longest access token, in bytes. */
export const ACCESS_TOKEN = 4096;
/** Longest resume token, session name, device key and SDK name, in bytes. */
export const TOKEN = 1024;
/** Most candidates in one message. */
export const CANDIDATES = 64;
/** Longest candidate in the form of RFC 8839 §5.1, in bytes. */
export const CANDIDATE = 512;
/** Longest message on the wire, in bytes. */
export const MESSAGE = 64 * 1024;
/** Most devices of the callee in one call. */
export const DEVICES = 8;
/** Most entries of one list inside a session description. */
export const LIST = 32;
/** Longest text inside a session description, in bytes. */
export const TEXT = 256;
/** Most ICE servers in a welcome, and most addresses of one. */
export const ICE_SERVERS = 16;
/** Most messages that wait for an acknowledgement. */
export const UNACKNOWLEDGED = 256;
/** Most bytes that wait for an acknowledgement. */
export const UNACKNOWLEDGED_BYTES = 64 * 1024;

const utf8 = new TextEncoder();

/** Length of a text in bytes of UTF-8, which is what the limits count. */
export function byteLength(text: string): number {
  return utf8.encode(text).length;
}

/** The text, cut at a character border to at most `limit` bytes of UTF-8. Lone surrogates, which UTF-8 cannot carry, become U+FFFD. */
export function cut(text: string, limit: number): string {
  let kept = '';
  for (const char of text) {
    if (byteLength(kept + char) > limit) break;
    kept += char.replace(/\p{Cs}/u, '\ufffd');
  }
  return kept;
}
