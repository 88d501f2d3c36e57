/** Session descriptions as the signalling carries them, and as the browser wants them (RFC 8829, RFC 8866). */
import type { SessionDescription } from '../signaling/messages.js';
/**
 * Reads the one audio section of a description that the browser made.
 *
 * @param sdp the browser's text
 * @param generation counts the starts of the path
 * @returns what is sent to the other side; candidates are left out, they follow one by one
 * @throws Error when there is no audio section that could be used; only a browser with other habits makes one
 */
export declare function fromSdp(sdp: string | undefined, generation: number): SessionDescription;
/**
 * Writes a description of the other side as the browser reads it.
 *
 * Everything in it comes from the network, so each value is checked against what it may consist of: none can end its line
 * and begin another. Values that are not needed are left out when they are odd; the only stream needs no announcement of its
 * source (RFC 9143 §9.2: its payload types are enough), and who may speak when is the call's business, not the path's.
 *
 * @param description what the other side sent
 * @param mid the identification of the audio section: an answer repeats the offer's (RFC 8829 §5.3.1)
 * @param offer of this side, when the text is to be the answer to it: an answer adds nothing to the offer, and decides who begins with
 * DTLS (RFC 8842 §5.3)
 * @returns the text
 * @throws Error when the description is of no use
 */
export declare function toSdp(description: SessionDescription, mid: string, offer?: SessionDescription): string;
/** The payload type of Opus. */
export declare function opusOf({ codecs }: SessionDescription): number | undefined;
/**
 * A candidate of the other side as the browser takes it.
 *
 * @param text the value of RFC 8839 §5.1, with or without `candidate:` before it
 * @returns the value with that prefix, or `undefined` when it could be anything else
 */
export declare function candidate(text: string): string | undefined;
