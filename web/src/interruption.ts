/** What is done while the media path is interrupted, or when the network is another one. */

import type { Tell } from './tell.js';

/** How long an interrupted path is waited for before the call ends, in seconds. */
const PATIENCE = 30;
/** How often another way is looked for, in ms. The callee begins later than the caller: one of both is enough. */
const RESTART = 5_000;
const CALLEE_LATER = 1_000;

/** What is needed of the call. */
export interface Interrupted {
  /** One end begins to look for another way at once. */
  isCaller: boolean;
  /** In seconds. */
  patience: number | undefined;
  /** Tells the application. */
  tell: Tell;
  /** The server can be told of a restart. */
  isOpen(): boolean;
  /** Finds other ways to the peer. */
  restart(): void;
  /** The patience is over. */
  lost(): void;
}

/** Watches network and path. */
export interface Interruption {
  /** The path of the call is interrupted, or carries again. */
  change(interrupted: boolean): void;
  /** The server is in reach, for the first time or again. */
  signalUp(): void;
  /** The call is over. */
  stop(): void;
}

/** As far as browsers have it, which TypeScript does not know. */
type Connection = EventTarget & { type?: string };

/** Watches the network and what is told of the path, until it is stopped. */
export function watchNetwork({ isCaller, patience = PATIENCE, tell, isOpen, restart, lost }: Interrupted): Interruption {
  const stop = new AbortController();
  const { connection } = navigator as { connection?: Connection };
  let type = connection?.type;
  let end: ReturnType<typeof setTimeout> | undefined;
  let again: ReturnType<typeof setTimeout> | undefined;
  let isPeer = false;
  let isDue = false;

  const look = (): void => {
    // What is found while the server is out of reach would be out of date by the time the peer hears of it.
    isDue = !isOpen();
    if (!isDue) {
      restart();
    }
  };
  const lookIn = (ms: number): void => {
    again = setTimeout(() => {
      look();
      lookIn(RESTART);
    }, ms);
  };
  const clear = (): void => {
    clearTimeout(end);
    clearTimeout(again);
    isDue = false;
  };

  addEventListener('online', look, stop);
  connection?.addEventListener(
    'change',
    () => {
      // The event comes with every new estimate of the speed as well.
      if (type !== connection.type) {
        type = connection.type;
        look();
      }
    },
    stop,
  );
  return {
    change(interrupted) {
      clear();
      if (interrupted) {
        end = setTimeout(lost, patience * 1000);
        // Nobody can tell for sure whose network it is: with the server in reach it is not ours.
        isPeer = isOpen();
        tell('evtNetworkUnavailable', { isPeer, willDisconnectSec: patience });
        lookIn(isCaller ? 0 : CALLEE_LATER);
      } else {
        tell('evtNetworkReavailable', { isPeer });
      }
    },
    signalUp() {
      if (isDue) {
        look();
      }
    },
    stop() {
      clear();
      stop.abort();
    },
  };
}
