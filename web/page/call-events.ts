/** What the SDK tells about a call, written into the call's state. */
import { verificationCode } from '../src/code.ts';
import type { CallDelegate } from '../src/index.ts';
import type { Active } from './call-state.ts';
import type { Problem } from './problem.ts';
import type { Key } from './strings.ts';

/** How a call ended. */
export interface End {
  /** Name of the disconnect reason. */
  strCode: string;
  /** Whether the other side or the server ended it. */
  byRemote: boolean;
}

/** Who is told of what concerns more than the call's state. */
export interface Sink {
  /** The state has changed. */
  changed(): void;
  /** The state has changed in a way that everybody should hear of. */
  tell(key: Key, values?: Record<string, string>): void;
  connected(): void;
  finished(end: End): void;
  soundBlocked(resume: () => Promise<void>): void;
  fault(problem: Problem): void;
}

/** The handlers of `call`. */
export function callEvents(call: Active, sink: Sink): CallDelegate {
  return {
    evtConnected: () => sink.connected(),
    evtDisconnected: ({ reason, byRemote }) => sink.finished({ strCode: reason.strCode, byRemote }),
    evtPeerMicMuted: () => {
      call.peerMuted = true;
      sink.tell('peerMuted');
    },
    evtPeerMicUnmuted: () => {
      call.peerMuted = false;
      sink.tell('peerUnmuted');
    },
    evtPeerHold: ({ reason }) => {
      call.heldByPeer = { reason };
      sink.tell(reason ? 'peerHoldsReason' : 'peerHolds', { reason: reason ?? '' });
    },
    evtPeerUnhold: () => {
      call.heldByPeer = undefined;
      sink.tell('holdOver');
    },
    evtNetworkUnavailable: () => {
      call.lost = true;
      sink.tell('networkLost');
    },
    evtNetworkReavailable: () => {
      call.lost = false;
      sink.tell('networkBack');
    },
    evtVerifiable: async (input) => {
      call.code = input && (await verificationCode(input));
      sink.changed();
    },
    evtQuality: ({ level }) => {
      // The SDK's scale begins with bad, the page's with unknown.
      call.quality = level + 1;
      sink.changed();
    },
    evtMyAudioDescription: (level) => {
      call.myLevel = level;
      sink.changed();
    },
    evtPeerAudioDescription: (level) => {
      call.peerLevel = level;
      sink.changed();
    },
    evtPlaybackBlocked: ({ resume }) => sink.soundBlocked(resume),
    evtAudioDevice: ({ kind }) => {
      if (kind === 'lost') {
        sink.fault({ title: 'problemMicLost', advice: 'adviceMicLost' });
      }
    },
  };
}
