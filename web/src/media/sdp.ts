/** Session descriptions as the signalling carries them, and as the browser wants them (RFC 8829, RFC 8866). */

import * as limits from '../signaling/limits.js';
import type { Codec, SessionDescription } from '../signaling/messages.js';

/** Opus always says 48 kHz and two channels, whatever is sent (RFC 7587 §7); RED repeats it (RFC 2198). */
const RATE = 48_000;
const CHANNELS = 2;

/** What a token of SDP may be here: RFC 8866 §9 `token`, and what the URIs of RFC 8285 need besides. */
const TOKEN = /^[\w!#$%&'*+.^`{|}~:/?=-]+$/;
/** RFC 8839 §5.4 `ice-char`. */
const ICE_CHARS = /^[A-Za-z0-9+/]{4,256}$/;
/** RFC 8122 §5. */
const HASH = /^[A-F0-9]{2}(:[A-F0-9]{2}){19,63}$/;
/** Values that consist of several tokens. None of them may hold a line's end. */
const TEXT = /^[\x20-\x7e]{1,512}$/;

/** Payload formats that may be negotiated: telephone events, comfort noise and the old codecs are refused. */
const isWanted = (name: string): boolean => name === 'opus' || name === 'red';

/**
 * Reads the one audio section of a description that the browser made.
 *
 * @param sdp the browser's text
 * @param generation counts the starts of the path
 * @returns what is sent to the other side; candidates are left out, they follow one by one
 * @throws Error when there is no audio section that could be used; only a browser with other habits makes one
 */
export function fromSdp(sdp: string, generation: number): SessionDescription {
  const lines = sdp.split(/\r?\n/);
  const all = (name: string): string[] => {
    const prefix = `a=${name}:`;
    return lines.filter((line) => line.startsWith(prefix)).map((line) => line.slice(prefix.length));
  };
  const first = (name: string): string => all(name)[0] ?? '';
  const payloads = /^m=audio \d+ [\w/]+ ([\d ]+)$/m.exec(sdp.replace(/\r/g, ''))?.[1]?.split(' ') ?? [];
  const parameters = (name: string, pt: string): string[] =>
    all(name).flatMap((line) => (line.startsWith(`${pt} `) ? [line.slice(pt.length + 1)] : []));
  const codecs = payloads.flatMap((pt): Codec[] => {
    const [name = '', rate, ch] = parameters('rtpmap', pt)[0]?.split('/') ?? [];
    const codec = {
      name: name.toLowerCase(),
      pt: Number(pt),
      rate: Number(rate),
      ch: Number(ch ?? 1),
      fmtp: parameters('fmtp', pt)[0] ?? '',
      rtcp_fb: parameters('rtcp-fb', pt),
    };
    return isWanted(codec.name) && codec.rate === RATE ? [codec] : [];
  });
  const [, ssrc = '0', cname = ''] = /^(\d+) cname:(.*)$/.exec(first('ssrc')) ?? [];
  const direction = /^a=(sendrecv|sendonly|recvonly|inactive)$/m.exec(sdp.replace(/\r/g, ''))?.[1];
  const description: SessionDescription = {
    v: 1,
    party: null,
    generation,
    ufrag: first('ice-ufrag'),
    pwd: first('ice-pwd'),
    options: first('ice-options').split(' ').filter(Boolean).slice(0, limits.LIST),
    candidates: [],
    end_of_candidates: false,
    fingerprints: [...new Set(all('fingerprint'))].slice(0, limits.LIST).map((line) => {
      const [algorithm = '', value = ''] = line.split(' ');
      return { algorithm: algorithm.toLowerCase(), value: value.toUpperCase() };
    }),
    setup: first('setup') as SessionDescription['setup'],
    commit: null,
    nonce: null,
    codecs,
    extmap: all('extmap').slice(0, limits.LIST).flatMap((line) => {
      // The identifier may carry a direction (RFC 8285 §8).
      const [, id, uri] = /^(\d+)(?:\/\w+)? (\S+)/.exec(line) ?? [];
      return uri && Number(id) < 15 ? [{ id: Number(id), uri }] : [];
    }),
    mid: first('mid'),
    ssrc: Number(ssrc),
    cname: cname.slice(0, limits.TEXT),
    direction: (direction ?? 'sendrecv') as SessionDescription['direction'],
    ptime: Number(first('ptime')) || 20,
  };
  if (!description.ufrag || !description.fingerprints.length || !codecs.some((codec) => codec.name === 'opus')) {
    throw new Error('the browser describes no audio that could be used');
  }
  return description;
}

/**
 * Writes a description of the other side as the browser reads it.
 *
 * Everything in it comes from the network, so each value is checked against what it may consist of: none can end its line
 * and begin another. Values that are not needed are left out when they are odd.
 *
 * @param description what the other side sent
 * @param mid the identification of the audio section: an answer repeats the offer's (RFC 8829 §5.3.1)
 * @returns the text, or `undefined` when the description is of no use
 */
export function toSdp(description: SessionDescription, mid: string): string | undefined {
  const codecs = description.codecs.filter(isUsable);
  const fingerprints = description.fingerprints.filter(
    (it) => /^sha-(256|384|512)$/i.test(it.algorithm) && HASH.test(it.value.toUpperCase()),
  );
  const usable =
    ICE_CHARS.test(description.ufrag) &&
    ICE_CHARS.test(description.pwd) &&
    fingerprints.length > 0 &&
    codecs.some((codec) => codec.name === 'opus');
  if (!usable) {
    return undefined;
  }
  const tag = TOKEN.test(mid) ? mid : '0';
  const lines = [
    'v=0',
    'o=- 1 1 IN IP4 127.0.0.1',
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
    ...fingerprints.map((it) => `a=fingerprint:${it.algorithm.toLowerCase()} ${it.value.toUpperCase()}`),
    `a=setup:${description.setup}`,
    `a=${description.direction}`,
  ];
  for (const codec of codecs) {
    lines.push(`a=rtpmap:${codec.pt} ${codec.name}/${RATE}/${CHANNELS}`);
    if (TEXT.test(codec.fmtp)) {
      lines.push(`a=fmtp:${codec.pt} ${codec.fmtp}`);
    }
    lines.push(...codec.rtcp_fb.filter((it) => TEXT.test(it)).map((it) => `a=rtcp-fb:${codec.pt} ${it}`));
  }
  const seen = new Set<number>();
  for (const { id, uri } of description.extmap) {
    if (Number.isInteger(id) && id > 0 && id < 15 && TOKEN.test(uri) && !seen.has(id)) {
      seen.add(id);
      lines.push(`a=extmap:${id} ${uri}`);
    }
  }
  if (description.ssrc > 0 && TOKEN.test(description.cname)) {
    lines.push(`a=ssrc:${description.ssrc} cname:${description.cname}`);
  }
  return `${lines.join('\r\n')}\r\n`;
}

/** A codec with a payload type that RFC 5761 §4 leaves to RTP, of a wanted format. */
function isUsable(codec: Codec, index: number, all: Codec[]): boolean {
  const { name, pt, rate, ch } = codec;
  const free = Number.isInteger(pt) && ((pt >= 96 && pt < 128) || (pt >= 35 && pt < 64));
  const once = all.findIndex((it) => it.pt === pt) === index;
  return isWanted(name) && free && once && rate === RATE && ch === CHANNELS;
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
