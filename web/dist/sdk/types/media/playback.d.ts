/** How the peer is heard: the application's audio element, and the hold tone. */
import type { Tell } from '../tell.js';
import type { Sound } from './sound.js';
/** Plays the peer. */
export declare class Playback {
    #private;
    /**
     * @param element of the application
     * @param sound for the hold tone
     * @param tell for a browser that plays nothing before the user has touched the page
     */
    constructor(element: HTMLAudioElement, sound: Sound, tell: Tell);
    /** Plays this track from now on. */
    attach(track: MediaStreamTrack): void;
    /** The application does not want to hear the peer. */
    set silenced(silenced: boolean);
    /** This side holds the call: it hears nothing. */
    set held(held: boolean);
    /** The peer holds the call, and a tone says so. */
    set tone(tone: boolean);
    /**
     * Where the peer is heard.
     *
     * @throws what `setSinkId` throws; a TypeError where there is none
     */
    choose(deviceId: string): Promise<void>;
    /** Stops, and gives the element back. */
    close(): void;
}
