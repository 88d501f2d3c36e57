/** The microphone of a call: opened before anything is sent, watched while the call lasts. */
import type { Tell } from '../tell.js';
/** Where the own audio comes from: a device, a stream of the application, or the browser's choice. */
export type AudioInput = {
    deviceId: string;
} | MediaStream | undefined;
/** The one audio track that is sent. */
export declare class Microphone {
    #private;
    private constructor();
    /**
     * Opens it.
     *
     * @param input where the audio comes from
     * @param changed another track is to be sent from now on
     * @param tell something happened to the device
     * @throws CallError
     */
    static open(input: AudioInput, changed: (track: MediaStreamTrack) => void, tell: Tell): Promise<Microphone>;
    /** The track that is sent. */
    get track(): MediaStreamTrack;
    /** Silence (`true`) or sound. */
    set muted(muted: boolean);
    /**
     * Takes another microphone.
     *
     * @throws CallError when it cannot be opened; the present one stays
     */
    choose(deviceId: string | undefined): Promise<void>;
    /** Lets the device go. A stream of the application stays open. */
    close(): void;
}
