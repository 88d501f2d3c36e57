/** What the end of a call means to a person: a line of the list, and a sentence. */
import type { Result } from './store.ts';
import type { Key } from './strings.ts';

/** What is known when a call has ended. */
export interface Ending {
  direction: 'in' | 'out';
  /** Whether both had been talking. */
  connected: boolean;
  /** Name of the disconnect reason, such as `DECLINE`. */
  strCode: string;
  /** Whether the other side or the server ended it. */
  byRemote: boolean;
}

/** The result for the list, and the sentence that says it. */
export interface Outcome {
  result: Result;
  sentence: Key;
}

const NETWORK = new Set(['NETWORK_UNSTABLE', 'UNAVAILABLE_NETWORK', 'MTU_EXCEEDED']);
const ELSEWHERE = new Set(['MULTIDEV_ANSWER', 'MULTIDEV_DECLINE', 'MULTIDEV_IN_USE']);

/** Reads an ending. */
export function outcomeOf({ direction, connected, strCode, byRemote }: Ending): Outcome {
  if (NETWORK.has(strCode)) {
    return { result: connected ? 'answered' : 'failed', sentence: 'endedNetwork' };
  }
  if (connected) {
    return { result: 'answered', sentence: strCode === 'NORMAL' ? 'endedNormal' : 'endedOther' };
  }
  if (ELSEWHERE.has(strCode)) {
    return { result: 'elsewhere', sentence: 'endedElsewhere' };
  }
  return direction === 'in' ? incoming(strCode, byRemote) : outgoing(strCode);
}

function incoming(strCode: string, byRemote: boolean): Outcome {
  if (strCode === 'DECLINE' || !byRemote) {
    return { result: 'declined', sentence: 'endedDeclinedMe' };
  }
  return { result: 'missed', sentence: 'endedMissed' };
}

function outgoing(strCode: string): Outcome {
  switch (strCode) {
    case 'CANCEL':
    case 'NORMAL':
      return { result: 'cancelled', sentence: 'endedCancelled' };
    case 'DECLINE':
      return { result: 'declined', sentence: 'endedDeclined' };
    case 'BUSY':
      return { result: 'busy', sentence: 'endedBusy' };
    case 'NOANSWER':
      return { result: 'noAnswer', sentence: 'endedNoAnswer' };
    case 'PUSH_ERROR':
      return { result: 'unreachable', sentence: 'endedUnreachable' };
    case 'ALREADY_GOT_A_CALL':
      return { result: 'busy', sentence: 'endedGlare' };
    default:
      return { result: 'failed', sentence: 'endedOther' };
  }
}
