/** Session descriptions as the signalling carries them, and as the browser wants them (RFC 8829, RFC 8866). */

import type { Codec, SessionDescription } from '../signaling/messages.js';

/** Opus always says 48 kHz and two channels, whatever is sent (RFC 7587 §7); RED repeats it (RFC 2198). */
const RATE = 48_000;
const CHANNELS = 2;

/** One word, such as the tokens of RFC 8866 §9 and the URIs of RFC 8285. */
const TOKEN = /^[\x21-\x7e]+$/;
/** RFC 8839 §5.4 `ice-char`. */
const ICE_CHARS = /^[A-Za-z0-9+/]{4,256}$/;
/** RFC 8122 §5, without the hash functions that prove nothing any more. */
const HASH = /^sha-(256|384|512) [A-F0-9]{2}(:[A-F0-9]{2}){31,63}$/i;
/** Values that consist of several tokens. None of them may hold a line's end. */
const TEXT = /^[\x20-\x7e]{1,512}$/;

const isOpusAmong = (codecs: Codec[]): boolean => codecs.some((codec) => codec.name === 'opus');

/**
 * Reads the one audio section of a description that the browser made.
 *
 * @param sdp the browser's text
 * @param generation counts the starts of the path
 * @returns what is sent to the other side; candidates are left out, they follow one by one
 * @throws Error when there is no audio section that could be used; only a browser with other habits makes one
 */
export function fromSdp(sdp: string | undefined, generation: number): SessionDescription {
  const text = (sdp ?? '').replace(/\r/g, '');
  const all = (pattern: string): string[][] => [...text.matchAll(new RegExp(`^${pattern}$`, 'gm'))].map((match) => match.slice(1));
  const first = (pattern: string): string => all(pattern)[0]?.[0] ?? '';
  const codecs = first('m=audio \\d+ \\S+ (.*)').split(' ').flatMap((pt): Codec[] => {
    const [name = '', rate, ch] = all(`a=rtpmap:${pt} (\\w+)/(\\d+)/?(\\d*)`)[0] ?? [];
    const rtcp_fb = all(`a=rtcp-fb:${pt} (.*)`).flat();
    const codec = { name: name.toLowerCase(), pt: Number(pt), rate: Number(rate), ch: Number(ch), fmtp: first(`a=fmtp:${pt} (.*)`), rtcp_fb };
    return isUsable(codec) ? [codec] : [];
  });
  const [[ssrc, cname = ''] = []] = all('a=ssrc:(\\d+) cname:(.*)');
  // What is left out has the value that a missing field means.
  const description = {
    v: 1,
    generation,
    ufrag: first('a=ice-ufrag:(.*)'),
    pwd: first('a=ice-pwd:(.*)'),
    options: ['trickle'],
    fingerprints: all('a=fingerprint:(\\S+) (\\S+)').map(([algorithm = '', value = '']) => ({ algorithm, value })),
    setup: first('a=setup:(.*)'),
    codecs,
    // The identifier may carry a direction (RFC 8285 §8).
    extmap: all('a=extmap:(\\d+)(?:/\\w+)? (\\S+).*').map(([id, uri = '']) => ({ id: Number(id), uri })),
    mid: first('a=mid:(.*)'),
    ssrc: Number(ssrc ?? 0),
    cname,
    ptime: 20,
  } as SessionDescription;
  if (!description.ufrag || !isOpusAmong(codecs)) {
    throw new Error('no audio');
  }
  return description;
}

/**
 * Writes a description of the other side as the browser reads it.
 *
 * Everything in it comes from the network, so each value is checked against what it may consist of: none can end its line
 * and begin another. Values that are not needed are left out when they are odd; the only stream needs no announcement of its
 * source (RFC 9143 §9.2: its payload types are enough), and who may speak when is the call's business, not the path's.
 *
 * @param description what the other side sent
 * @param mid the identification of the audio section: an answer repeats the offer's (RFC 8829 §5.3.1)
 * @param offer of this side, when the text is to be the answer to it: an answer adds nothing to the offer, and decides who begins with
 * DTLS (RFC 8842 §5.3)
 * @returns the text
 * @throws Error when the description is of no use
 */
export function toSdp(description: SessionDescription, mid: string, offer?: SessionDescription): string {
  const codecs = description.codecs.filter(isUsable).filter(({ pt }) => !offer || offer.codecs.some((it) => it.pt === pt));
  const fingerprints = description.fingerprints.filter((it) => HASH.test(`${it.algorithm} ${it.value}`));
  const usable =
    ICE_CHARS.test(description.ufrag) &&
    ICE_CHARS.test(description.pwd) &&
    fingerprints.length > 0 &&
    isOpusAmong(codecs);
  if (!usable) {
    throw new Error('no audio');
  }
  const tag = TOKEN.test(mid) ? mid : '0';
  const lines = [
    'v=0',
    `o=- 1 ${description.generation + 1} IN IP4 127.0.0.1`,
    's=-',
    't=0 0',
    `a=group:BUNDLE ${tag}`,
    `m=audio 9 UDP/TLS/RTP/SAVPF ${codecs.map((codec) => codec.pt).join(' ')}`,
    'c=IN IP4 0.0.0.0',
    'a=rtcp-mux',
    `a=mid:${tag}`,
    `a=ice-ufrag:${description.ufrag}`,
    `a=ice-pwd:${description.pwd}`,
    'a=ice-options:trickle',
    ...fingerprints.map((it) => `a=fingerprint:${it.algorithm} ${it.value}`),
    `a=setup:${offer && description.setup === 'actpass' ? 'passive' : description.setup}`,
    'a=sendrecv',
  ];
  for (const codec of codecs) {
    lines.push(`a=rtpmap:${codec.pt} ${codec.name}/${RATE}/${CHANNELS}`);
    if (TEXT.test(codec.fmtp)) {
      lines.push(`a=fmtp:${codec.pt} ${codec.fmtp}`);
    }
    lines.push(...codec.rtcp_fb.filter((it) => TEXT.test(it)).map((it) => `a=rtcp-fb:${codec.pt} ${it}`));
  }
  // RFC 8285 §4.2: 1 to 14, each once. A browser refuses the whole description otherwise.
  const extensions = new Map(description.extmap.map(({ id, uri }) => [id, uri]));
  for (const [id, uri] of extensions) {
    if (id > 0 && id < 15 && TOKEN.test(uri) && (!offer || offer.extmap.some((it) => it.id === id && it.uri === uri))) {
      lines.push(`a=extmap:${id} ${uri}`);
    }
  }
  return `${lines.join('\r\n')}\r\n`;
}

/** The payload type of Opus. */
export function opusOf({ codecs }: SessionDescription): number | undefined {
  return codecs.find((codec) => codec.name === 'opus')?.pt;
}

/**
 * Opus, or RED around it, with a payload type that RFC 5761 §4 leaves to RTP. Telephone events, comfort noise and the old codecs
 * are refused.
 */
function isUsable({ name, pt, rate, ch }: Codec, index = 0, all: Codec[] = []): boolean {
  const free = (pt >= 96 && pt < 128) || (pt >= 35 && pt < 64);
  const once = all.findIndex((it) => it.pt === pt) === index;
  return /^(opus|red)$/.test(name) && Number.isInteger(pt) && free && (once || !all.length) && rate === RATE && ch === CHANNELS;
}

/**
 * A candidate of the other side as the browser takes it.
 *
 * @param text the value of RFC 8839 §5.1, with or without `candidate:` before it
 * @returns the value with that prefix, or `undefined` when it could be anything else
 */
export function candidate(text: string): string | undefined {
  const value = text.replace(/^(a=)?candidate:/, '');
  return TEXT.test(value) ? `candidate:${value}` : undefined;
}
