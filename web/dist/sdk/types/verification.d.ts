/** This side's half of the verification code: what `crates/call/VERIFICATION.md` calls commit, reveal and check. */
import type { VerificationInput } from './params.js';
import type { SessionDescription } from './signaling/messages.js';
/** 32 random bytes, in hexadecimal. */
export declare function newNonce(): string;
/** What binds a caller to its certificate and its nonce before it knows the other ones; `null` when there can be no code. */
export declare function commitment(caller: SessionDescription, nonce: string): Promise<string | null>;
/**
 * What the code is made of.
 *
 * @param caller what the caller said first
 * @param callee what the device of the callee said first, which has its nonce
 * @param nonce of the caller
 * @returns `undefined` when there is no code, as with a peer of an older version; `false` when the caller is not who it committed to be
 */
export declare function verification(caller: SessionDescription, callee: SessionDescription, nonce: string): Promise<VerificationInput | false | undefined>;
