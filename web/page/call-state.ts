/** A call as the page knows it. */
import type { VerificationCode } from '../src/code.ts';
import { Call } from '../src/index.ts';

/** How far a call has come. */
export type Phase = 'starting' | 'trying' | 'ringing' | 'incoming' | 'answering' | 'connected';

/** The call as the page shows it. */
export interface CallState {
  phase: Phase;
  direction: 'in' | 'out';
  /** Who is on the other side. */
  peer: string;
  /** When it began, in milliseconds of Unix time. */
  at: number;
  muted: boolean;
  held: boolean;
  peerMuted: boolean;
  /** Set while the other side holds the call. */
  heldByPeer: { reason: string | undefined } | undefined;
  /** The connection is being restored. */
  lost: boolean;
  /** 0 to 100. */
  myLevel: number;
  /** 0 to 100. */
  peerLevel: number;
  /** 0 unknown, 1 bad … 5 excellent. */
  quality: number;
  /** What both users compare, once it is there. */
  code: VerificationCode | undefined;
}

/** A call with what only the telephone needs to know. */
export interface Active extends CallState {
  /** Whose call it is. */
  user: string;
  /** The call's id, known from the start of a call that comes in. */
  sid: string | undefined;
  /** The SDK's call. */
  api: Call;
  /** The SDK has begun: the microphone is open. */
  started: boolean;
  /** Ended by the user before it had begun. */
  ending: boolean;
  /** It may be accepted. */
  verified: boolean;
  /** Answered before the call was verified. */
  answered: boolean;
}

/** A call that has just begun. */
export function freshCall(user: string, direction: 'in' | 'out', peer: string, sid: string | undefined): Active {
  return {
    phase: direction === 'in' ? 'incoming' : 'starting',
    direction,
    peer,
    at: Date.now(),
    muted: false,
    held: false,
    peerMuted: false,
    heldByPeer: undefined,
    lost: false,
    myLevel: 0,
    peerLevel: 0,
    quality: 0,
    code: undefined,
    user,
    sid,
    api: new Call(),
    started: false,
    ending: false,
    verified: false,
    answered: false,
  };
}
