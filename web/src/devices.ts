/** What there is to speak into and to listen with, and what the browser can do. */

/** A device for audio. */
export interface DeviceInfo {
  /** For `audioInput`, `setAudioInput` and `setAudioOutput`. */
  deviceId: string;
  /** Its direction. */
  kind: 'audioinput' | 'audiooutput';
  /** Its name; empty before the page was given the microphone once. */
  label: string;
}

/** Lists the audio devices; empty where the browser shows none. The browser's `devicechange` event says when the list is another one. */
export async function devices(): Promise<DeviceInfo[]> {
  const all = (await navigator.mediaDevices?.enumerateDevices()) ?? [];
  return all.flatMap(({ deviceId, kind, label }) => (kind === 'videoinput' ? [] : [{ deviceId, kind, label }]));
}

/** What the browser can do, as far as a call needs it. */
export interface BrowserInfo {
  /** Its own word about itself. */
  userAgent: string;
  /** Calls are possible: WebRTC, and a page that may use the microphone. */
  isSupported: boolean;
  /** `setAudioOutput` works. */
  canChooseOutput: boolean;
}

/** Looks at the browser; nothing is opened. */
export function getBrowserInfo(): BrowserInfo {
  return {
    userAgent: navigator.userAgent,
    isSupported: 'RTCPeerConnection' in globalThis && navigator.mediaDevices !== undefined,
    canChooseOutput: 'setSinkId' in HTMLMediaElement.prototype,
  };
}
