/** Candidates of both ends of a path, one by one (RFC 8838). */

import { CANDIDATES } from '../signaling/limits.js';
import { candidate } from './sdp.js';

/** What the browser found, until it is sent. At most 64 are kept in all: further ones are left out. */
export class LocalCandidates {
  #unsent: string[] = [];
  #found = 0;
  #complete = false;
  #endSent = false;

  /** The browser found one; `null`: that was the last. */
  note(found: RTCIceCandidate | null): void {
    if (!found?.candidate) {
      this.#complete ||= found === null;
    } else if (found.protocol !== 'tcp' && this.#found < CANDIDATES) {
      this.#found += 1;
      this.#unsent.push(found.candidate);
    }
  }

  /** Those that were not yet sent, or `undefined` when there is nothing new. */
  take(): { candidates: string[]; end: boolean } | undefined {
    const end = this.#complete && !this.#endSent;
    if (this.#unsent.length === 0 && !end) {
      return undefined;
    }
    this.#endSent ||= end;
    return { candidates: this.#unsent.splice(0), end };
  }
}

/**
 * What the other side sent, until it may be used: a check shows this side's address. At most 64 are kept in all: further ones are
 * left out.
 */
export class RemoteCandidates {
  readonly #use: (candidate: string) => void;
  #waiting: string[] = [];
  #found = 0;
  #end = false;
  #isOpen = false;

  /** @param use gives one to the browser; `''` says that no more will come */
  constructor(use: (candidate: string) => void) {
    this.#use = use;
  }

  /** More of them; `end`: all of them. */
  add(candidates: string[], end: boolean): void {
    const taken = candidates.slice(0, CANDIDATES - this.#found);
    this.#found += taken.length;
    this.#waiting.push(...taken);
    this.#end ||= end;
    this.#flush();
  }

  /** They may be used now. */
  open(): void {
    this.#isOpen = true;
    this.#flush();
  }

  #flush(): void {
    if (!this.#isOpen) {
      return;
    }
    for (const text of this.#waiting.splice(0)) {
      const checked = candidate(text);
      if (checked !== undefined) {
        this.#use(checked);
      }
    }
    if (this.#end) {
      this.#end = false;
      this.#use('');
    }
  }
}
