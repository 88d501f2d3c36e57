/** Candidates of this end of a path, one by one (RFC 8838). */

import { CANDIDATES } from '../signaling/limits.js';

/** What the browser found, until it is sent. At most 64 are kept in all: further ones are left out. */
export class LocalCandidates {
  #unsent: string[] = [];
  #found = 0;
  #end = false;

  /** The browser found one; `null`: that was the last. */
  note(found: RTCIceCandidate | null): void {
    if (!found) {
      this.#end = true;
    } else if (found.candidate && found.protocol !== 'tcp' && this.#found++ < CANDIDATES) {
      this.#unsent.push(found.candidate);
    }
  }

  /** Those that were not yet sent, or `undefined` when there is nothing new. */
  take(): { candidates: string[]; end: boolean } | undefined {
    const taken = { candidates: this.#unsent.splice(0), end: this.#end };
    this.#end = false;
    return taken.end || taken.candidates.length ? taken : undefined;
  }
}
