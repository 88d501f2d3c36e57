/**
 * The verification code: five pictures by which two users see that nobody sits between their devices. They read them out to each other.
 *
 * How it is made stands in `crates/call/VERIFICATION.md`, and so does what it proves.
 *
 * @packageDocumentation
 */
import type { VerificationInput } from './params.js';
export type { VerificationInput } from './params.js';
/** What both users compare. All three lists have five entries and say the same. */
export interface VerificationCode {
    /** Pictures of one character each. */
    emoji: string[];
    /** Their names in English, in lower case. */
    english: string[];
    /** Their names in Japanese. */
    japanese: string[];
}
/**
 * Makes the code.
 *
 * @param input what `evtVerifiable` carried
 * @throws TypeError on a page without Web Cryptography, which then gets no `evtVerifiable` either
 */
export declare function verificationCode(input: VerificationInput): Promise<VerificationCode>;
