/** The paths of a call: one for each device of the callee, and what they and the state machine tell each other. */

import { DEVICES } from '../signaling/limits.js';
import type { SessionDescription } from '../signaling/messages.js';
import type { PathEvent, Role } from '../signaling/types.js';
import { PeerPath } from './peer.js';

/** What the paths need of the call. */
export interface PathsHandlers {
  /** A path with a known device has news. */
  path(party: number, event: PathEvent): void;
  /** The path with the device that accepted is interrupted, or carries again. */
  interrupted(interrupted: boolean): void;
  /** This end, for the other side. `party` is the device that is meant. */
  describe(party: number | null, description: SessionDescription): void;
  /** More candidates of this end. */
  candidates(party: number | null, generation: number, candidates: string[], end: boolean): void;
}

/** All paths of one call. */
export class Paths {
  readonly #role: Role;
  readonly #configuration: RTCConfiguration;
  readonly #handlers: PathsHandlers;
  #all: PeerPath[] = [];
  #active: PeerPath | undefined;
  #admitted = false;
  #mayShow = false;

  /**
   * @param role of this device
   * @param configuration of every path, without servers
   * @param handlers what is to be called
   */
  constructor(role: Role, configuration: RTCConfiguration, handlers: PathsHandlers) {
    this.#role = role;
    this.#configuration = configuration;
    this.#handlers = handlers;
  }

  /** The path that carries the call: the one with the device that accepted. */
  get active(): PeerPath | undefined {
    return this.#active;
  }

  /** Caller: makes the first path, which belongs to the first device that answers. */
  first(): Promise<SessionDescription> {
    return this.#add().offer();
  }

  /** The server let us in. The first time, gathering begins; later ones bring credentials for the next restart. */
  admit(iceServers: RTCIceServer[]): void {
    this.#configuration.iceServers = iceServers.filter(isUsable);
    if (!this.#admitted) {
      this.#admitted = true;
      this.#all.forEach((path) => path.gather());
    }
  }

  /** The peer may learn this side's addresses: the service allows it, or the call is accepted. */
  show(): void {
    if (!this.#mayShow) {
      this.#mayShow = true;
      this.#all.forEach((path) => {
        path.allowChecks();
        this.#tellCandidates(path);
      });
    }
  }

  /** Caller: makes a path for a further device. */
  async add(party: number): Promise<void> {
    if (this.#find(party) || this.#all.length >= DEVICES) {
      return;
    }
    try {
      const path = this.#add(party);
      this.#handlers.describe(party, await path.offer());
      path.gather();
    } catch {
      // The browser makes no further connection: this device has no path, others may.
      this.#handlers.path(party, { type: 'failed', failure: 'unreachable' });
    }
  }

  /** How the device is reached. */
  setRemote(party: number, description: SessionDescription): void {
    this.#for(party)?.setRemote(description);
  }

  /** Candidates of the device. */
  addCandidates(party: number, generation: number, candidates: string[], end: boolean): void {
    this.#for(party)?.addCandidates(generation, candidates, end);
  }

  /** The network may be another one, or a path is interrupted: new ways are looked for. */
  restart(): void {
    this.#all.forEach((path) => path.restart());
  }

  /** The device accepted: its path carries the call. */
  activate(party: number): PeerPath | undefined {
    this.#active = this.#for(party);
    this.show();
    this.watchAudio(false);
    return this.#active;
  }

  /** Caller: whether audio of the device counts as its accept. It does only while exactly one device verified. */
  watchAudio(alone: boolean): void {
    const up = this.#all.filter((path) => path.isUp && path.party !== undefined);
    for (const path of this.#all) {
      if (alone && this.#role === 'caller' && !this.#active && up.length === 1 && path === up[0]) {
        path.watchAudio();
      } else {
        path.stopWatchingAudio();
      }
    }
  }

  /** The path with this device is of no use any more. */
  close(party: number): void {
    this.#find(party)?.close();
    this.#all = this.#all.filter((path) => path.party !== party);
  }

  /** The call is over. */
  closeAll(): void {
    this.#all.forEach((path) => path.close());
    this.#all = [];
    this.#active = undefined;
  }

  #find(party: number): PeerPath | undefined {
    return this.#all.find((path) => path.party === party);
  }

  /** The path to this device. The caller's first one belongs to the first device that answers it. */
  #for(party: number): PeerPath | undefined {
    const known = this.#find(party);
    if (known) {
      return known;
    }
    const free = this.#all.find((path) => path.party === undefined) ?? this.#own();
    if (free) {
      free.party = party;
      if (free.isUp) {
        this.#handlers.path(party, { type: 'up' });
      }
    }
    return free;
  }

  /** Callee: its path; none when the browser makes no connection, and then the call ends by its deadline. */
  #own(): PeerPath | undefined {
    try {
      return this.#role === 'callee' && this.#all.length === 0 ? this.#add() : undefined;
    } catch {
      return undefined;
    }
  }

  #add(party?: number): PeerPath {
    const path = new PeerPath(this.#configuration, {
      // A path whose device is not known yet has nothing to say.
      path: (event) => path.party !== undefined && this.#handlers.path(path.party, event),
      interrupted: (interrupted) => path === this.#active && this.#handlers.interrupted(interrupted),
      candidates: () => this.#tellCandidates(path),
      describe: (own) => this.#handlers.describe(this.#device(path), own),
    });
    path.party = party;
    if (this.#mayShow) {
      path.allowChecks();
    }
    this.#all.push(path);
    return path;
  }

  #tellCandidates(path: PeerPath): void {
    const { own, local } = path;
    const found = this.#mayShow && own ? local.take() : undefined;
    if (own && found) {
      this.#handlers.candidates(this.#device(path), own.generation, found.candidates, found.end);
    }
  }

  /** A callee has one path, so it need not name it. */
  #device({ party }: PeerPath): number | null {
    return (this.#role === 'caller' && party) || null;
  }
}

/** Whether the browser takes a server's address: one that it does not would spoil every connection. */
function isUsable(server: RTCIceServer): boolean {
  try {
    new RTCPeerConnection({ iceServers: [server] }).close();
    return true;
  } catch {
    return false;
  }
}
