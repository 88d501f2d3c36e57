/** What the promises of a call are rejected with. */

import { START_FAIL_REASON, type StartFailReason } from './signaling/reasons.js';

/** A call could not be started (documented as `MakeCallError` and `VerifyCallError`), or could not do what it was asked to. */
export class CallError extends Error {
  override readonly name = 'CallError';
  /** Why. */
  readonly reason: StartFailReason;

  /**
   * @param reason one of `START_FAIL_REASON`
   * @param message what is wrong and what helps, for a developer
   * @param cause what the browser said, if it was the browser
   */
  constructor(reason: StartFailReason, message: string, cause?: unknown) {
    super(message, { cause });
    this.reason = reason;
  }
}

/** What helps against the errors of `getUserMedia`, by their names. The first ones are denials. */
const ADVICE: [name: RegExp, advice: string][] = [
  [/Allowed|Security/, 'allow it in browser and system'],
  [/Found|constrained/, 'plug one in'],
  [/Readable/, 'close other programs that use it'],
];

/**
 * Says what a failed `getUserMedia` means to a user.
 *
 * @param error what it was rejected with: an Error by the specification
 */
export function microphoneError(error: unknown): CallError {
  const { name, message } = error as Error;
  const at = ADVICE.findIndex(([names]) => names.test(name));
  const reason = at ? START_FAIL_REASON.AUDIO_INPUT_DEVICE_FAIL : START_FAIL_REASON.NO_PERMISSION_RECORD_AUDIO;
  return new CallError(reason, `no microphone: ${ADVICE[at]?.[1] ?? message}`, error);
}
