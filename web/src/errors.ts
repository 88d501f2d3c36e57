/** What the promises of a call are rejected with. */

import { START_FAIL_REASON, type StartFailReason } from './signaling/reasons.js';

/** Why a method other than `makeCall` and `verifyCall` was rejected. */
export const CALL_FAIL_REASON = {
  /** The state of the call does not allow it; the message names the state. */
  INVALID_STATE: 'invalid_state',
  /** A parameter is missing or malformed. */
  INVALID_PARAM: 'invalid_param',
  /** The browser cannot do it. */
  NOT_SUPPORTED: 'not_supported',
  /** The user or the browser's policy denied the microphone. */
  NO_PERMISSION_RECORD_AUDIO: 'no_permission_record_audio',
  /** The microphone is not there, or another application holds it. */
  AUDIO_INPUT_DEVICE_FAIL: 'audio_input_device_fail',
  /** The loudspeaker is not there, or the page may not use it. */
  AUDIO_OUTPUT_DEVICE_FAIL: 'audio_output_device_fail',
} as const;

/** One of the values of {@link CALL_FAIL_REASON}. */
export type CallFailReason = (typeof CALL_FAIL_REASON)[keyof typeof CALL_FAIL_REASON];

/** A call could not be started. Documented as `MakeCallError` and `VerifyCallError`. */
export class StartError extends Error {
  override readonly name = 'StartError';

  /**
   * @param reason one of `START_FAIL_REASON`
   * @param message what is wrong and what helps, for a developer
   */
  constructor(
    readonly reason: StartFailReason,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** A call could not do what it was asked to. */
export class CallError extends Error {
  override readonly name = 'CallError';

  /**
   * @param reason one of `CALL_FAIL_REASON`
   * @param message what is wrong and what helps, for a developer
   */
  constructor(
    readonly reason: CallFailReason,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** A microphone could not be opened: the reason is the same at the start of a call and later. */
export interface MicrophoneFailure {
  /** Both enumerations have these two. */
  reason:
    | typeof START_FAIL_REASON.NO_PERMISSION_RECORD_AUDIO
    | typeof START_FAIL_REASON.AUDIO_INPUT_DEVICE_FAIL;
  /** What happened, and what the user can do about it. */
  message: string;
}

/**
 * Says what a failed `getUserMedia` means to a user.
 *
 * @param error what it was rejected with
 */
export function microphoneFailure(error: unknown): MicrophoneFailure {
  const name = error instanceof Error ? error.name : '';
  switch (name) {
    case 'NotAllowedError':
    case 'SecurityError':
      return {
        reason: START_FAIL_REASON.NO_PERMISSION_RECORD_AUDIO,
        message: 'the microphone was denied: allow it for this page in the site settings of the browser, and in those of the system',
      };
    case 'NotFoundError':
    case 'OverconstrainedError':
      return {
        reason: START_FAIL_REASON.AUDIO_INPUT_DEVICE_FAIL,
        message: 'there is no such microphone: plug one in or choose another one',
      };
    case 'NotReadableError':
    case 'AbortError':
      return {
        reason: START_FAIL_REASON.AUDIO_INPUT_DEVICE_FAIL,
        message: 'the microphone cannot be read: close other programs that use it, or plug it in again',
      };
    default:
      return {
        reason: START_FAIL_REASON.AUDIO_INPUT_DEVICE_FAIL,
        message: `the microphone cannot be used: ${error instanceof Error ? error.message : String(error)}`,
      };
  }
}
