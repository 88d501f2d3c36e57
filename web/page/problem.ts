/** Faults that a person can do something about. */
import type { Key } from './strings.ts';

/** A fault with its advice. */
export interface Problem {
  /** What has happened. */
  title: Key;
  /** What to do. */
  advice?: Key;
  /** Technical reason, for the curious. */
  detail?: string;
  /** The button that helps. */
  action?: { label: Key; run(): void };
  /** Who is waiting meanwhile. */
  caller?: string;
}

const byReason: Record<string, Pick<Problem, 'title' | 'advice'>> = {
  no_permission_record_audio: { title: 'problemMicDenied', advice: 'adviceMicDenied' },
  audio_input_device_fail: { title: 'problemMicBusy', advice: 'adviceMicBusy' },
  audio_output_device_fail: { title: 'problemSpeaker', advice: 'adviceSpeaker' },
};

/** What a failed start means; `error` is a rejection of the SDK or of `fetch`. */
export function problemOf(error: unknown): Problem {
  const reason = typeof error === 'object' && error !== null && 'reason' in error ? String(error.reason) : undefined;
  const detail = error instanceof Error ? error.message : String(error);
  if (reason === undefined) {
    return { title: 'problemServer', advice: 'adviceServer', detail };
  }
  if (error instanceof Error && error.cause instanceof DOMException && error.cause.name === 'NotFoundError') {
    return { title: 'problemNoMic', advice: 'adviceNoMic', detail };
  }
  return { ...(byReason[reason] ?? { title: 'problemCallFailed' }), detail: `${reason}: ${detail}` };
}
