/** What the SDK does with sound itself: the tone that the held side hears, and the level of the microphone. */
/** The call's audio context, made when it is needed first. */
export declare class Sound {
    #private;
    /** Beeps until it is told to stop. */
    set beeping(beeping: boolean);
    /**
     * Level of a track, 0 to 1.
     *
     * @param track of which it is the effective value of the latest samples; 0 while the browser plays nothing yet
     */
    level(track: MediaStreamTrack): number;
    /** The user touched the page. */
    resume(): Promise<void>;
    /** Where the tone is heard, if the browser can choose. */
    choose(deviceId: string): Promise<void>;
    /** Stops for good. */
    close(): void;
}
