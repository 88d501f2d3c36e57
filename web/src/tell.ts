/** How the parts of a call reach the application's handlers. */

import type { MakeCallDelegate, VerifyCallDelegate } from './params.js';
import type { Verified } from './signaling/messages.js';
import { strCode, type KitDisconnectReason } from './signaling/reasons.js';
import type { Event } from './signaling/types.js';

/** Every handler that a call may have. */
export type Delegate = MakeCallDelegate & VerifyCallDelegate;

/** Calls a handler of the application, if it has it; never at once, and in the order of the calls. */
export type Tell = <N extends keyof Delegate>(name: N, ...param: Parameters<NonNullable<Delegate[N]>>) => void;

/**
 * Tells the application what the state machine says.
 *
 * @param verified what the server confirmed to a callee
 */
export function announce(event: Event, tell: Tell, verified: Verified | undefined): void {
  switch (event.type) {
    case 'wait_connected':
      tell('evtWaitConnected');
      break;
    case 'verified':
      if (verified) {
        const { sid, caller } = verified;
        const { user_id: callerId, service_id: callerServiceId } = caller;
        const callStartMessage = verified.call_start_message ?? undefined;
        tell('evtVerified', { sid, callerId, callerServiceId, callStartMessage, preConnected: event.pre_connected });
      }
      break;
    case 'connected':
      tell('evtConnected', { callStartMessage: event.call_start_message ?? undefined });
      break;
    case 'peer_muted':
      tell(event.muted ? 'evtPeerMicMuted' : 'evtPeerMicUnmuted');
      break;
    case 'peer_held':
      tell('evtPeerHold', { reason: event.reason ?? undefined });
      break;
    case 'peer_unheld':
      tell('evtPeerUnhold');
      break;
    case 'disconnected': {
      const { source, by_remote: byRemote, user_code } = event;
      const code = event.reason as KitDisconnectReason;
      const reason = { code, strCode: strCode(code) ?? String(code) };
      tell('evtDisconnected', { source, reason, byRemote, userCode: user_code ?? undefined });
      break;
    }
  }
}
