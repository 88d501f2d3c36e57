import assert from 'node:assert/strict';
import { test } from 'node:test';
import { candidate, fromSdp, toSdp } from '../../src/media/sdp.js';
import type { SessionDescription } from '../../src/signaling/messages.js';
import { chromiumAnswer, chromiumOffer, firefoxAnswer, firefoxOffer } from './lib/sdp-samples.js';

const crlf = (text: string): string => text.replaceAll('\n', '\r\n');

/** What the native client describes. */
const native: SessionDescription = {
  v: 1,
  party: 1,
  generation: 0,
  ufrag: 'q1Zc',
  pwd: 'mPBSbPvQMkUp5ItRXxE7Tn2x',
  options: ['trickle', 'renomination'],
  candidates: ['candidate:1 1 udp 2130706431 192.0.2.1 40000 typ host'],
  end_of_candidates: false,
  fingerprints: [{ algorithm: 'sha-256', value: Array.from({ length: 32 }, (_, at) => (at + 160).toString(16).toUpperCase()).join(':') }],
  setup: 'active',
  commit: null,
  nonce: null,
  codecs: [
    { name: 'red', pt: 63, rate: 48_000, ch: 2, fmtp: '111/111', rtcp_fb: [] },
    { name: 'opus', pt: 111, rate: 48_000, ch: 2, fmtp: 'minptime=10;useinbandfec=1', rtcp_fb: ['transport-cc'] },
  ],
  extmap: [{ id: 1, uri: 'urn:ietf:params:rtp-hdrext:ssrc-audio-level' }],
  mid: '0',
  ssrc: 7,
  cname: 'c',
  direction: 'sendrecv',
  ptime: 20,
};

test('an offer of Chromium keeps Opus and RED, in its order, and nothing else', () => {
  const it = fromSdp(crlf(chromiumOffer), 0);
  assert.deepEqual(it.codecs, [
    { name: 'opus', pt: 111, rate: 48_000, ch: 2, fmtp: 'minptime=10;useinbandfec=1', rtcp_fb: ['transport-cc'] },
    { name: 'red', pt: 63, rate: 48_000, ch: 2, fmtp: '111/111', rtcp_fb: [] },
  ]);
  assert.match(it.ufrag, /^[\w+/]{4,}$/);
  assert.match(it.pwd, /^[\w+/]{22,}$/);
  assert.equal(it.setup, 'actpass');
  assert.equal(it.mid, '0');
  assert.equal(it.fingerprints.length, 1);
  assert.equal(it.fingerprints[0]?.algorithm, 'sha-256');
  assert.ok(it.ssrc > 0 && it.cname.length > 0);
  assert.deepEqual(it.extmap.map((extension) => extension.id), [1, 2, 3, 4]);
});

test('an offer of Firefox has its fingerprint on the session level and its own payload type', () => {
  const it = fromSdp(crlf(firefoxOffer), 3);
  assert.equal(it.generation, 3);
  assert.deepEqual(it.codecs.map(({ name, pt }) => [name, pt]), [['opus', 109]]);
  assert.match(it.fingerprints[0]?.value ?? '', /^[0-9A-F]{2}(:[0-9A-F]{2}){31}$/);
  assert.ok(it.extmap.some(({ id, uri }) => id === 2 && uri.endsWith('csrc-audio-level')), 'an identifier with a direction');
});

test('answers repeat the payload types of the offer and take the active role', () => {
  const firefox = fromSdp(crlf(firefoxAnswer), 0);
  assert.deepEqual(firefox.codecs.map(({ name, pt }) => [name, pt]), [['opus', 111]]);
  assert.equal(firefox.setup, 'active');
  const chromium = fromSdp(crlf(chromiumAnswer), 0);
  assert.deepEqual(chromium.codecs.map(({ name, pt }) => [name, pt]), [['opus', 109]]);
  assert.equal(chromium.setup, 'active');
});

test('a description without audio is none', () => {
  assert.throws(() => fromSdp('v=0\r\ns=-\r\n', 0));
  assert.throws(() => fromSdp(crlf(chromiumOffer).replaceAll('opus', 'speex'), 0));
});

test('what was read can be written and read again', () => {
  for (const sdp of [chromiumOffer, firefoxOffer, firefoxAnswer, chromiumAnswer]) {
    const read = fromSdp(crlf(sdp), 0);
    const written = toSdp(read, read.mid);
    const { codecs, ufrag, pwd, fingerprints, setup, extmap, mid } = fromSdp(written, 0);
    const { codecs: c, ufrag: u, pwd: p, fingerprints: f, setup: s, extmap: e, mid: m } = read;
    assert.deepEqual({ codecs, ufrag, pwd, fingerprints, setup, extmap, mid }, { codecs: c, ufrag: u, pwd: p, fingerprints: f, setup: s, extmap: e, mid: m });
  }
});

test('the native client is understood', () => {
  assert.equal(
    toSdp(native, 'audio').replaceAll('\r\n', '\n'),
    `v=0
o=- 1 1 IN IP4 127.0.0.1
s=-
t=0 0
a=group:BUNDLE audio
m=audio 9 UDP/TLS/RTP/SAVPF 63 111
c=IN IP4 0.0.0.0
a=rtcp-mux
a=mid:audio
a=ice-ufrag:q1Zc
a=ice-pwd:mPBSbPvQMkUp5ItRXxE7Tn2x
a=ice-options:trickle
a=fingerprint:sha-256 ${native.fingerprints[0]?.value}
a=setup:active
a=sendrecv
a=rtpmap:63 red/48000/2
a=fmtp:63 111/111
a=rtpmap:111 opus/48000/2
a=fmtp:111 minptime=10;useinbandfec=1
a=rtcp-fb:111 transport-cc
a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level
`,
  );
});

test('an answer adds nothing to the offer, and says who begins with DTLS', () => {
  const offer = fromSdp(crlf(firefoxOffer), 2);
  const opus = { ...native.codecs[1]!, pt: 109 };
  const theirs = { ...native, generation: 2, setup: 'actpass' as const, codecs: [opus, native.codecs[0]!], extmap: [...native.extmap, { id: 14, uri: 'urn:x' }] };
  const sdp = toSdp(theirs, '0', offer);
  assert.match(sdp, /^m=audio 9 UDP\/TLS\/RTP\/SAVPF 109\r$/m);
  assert.match(sdp, /^a=setup:passive\r$/m);
  assert.match(sdp, /^o=- 1 3 /m);
  assert.deepEqual(sdp.match(/a=extmap:\d+/g), ['a=extmap:1']);
  assert.match(toSdp({ ...theirs, setup: 'active' }, '0', offer), /^a=setup:active\r$/m);
  assert.match(toSdp(theirs, '0'), /^a=setup:actpass\r$/m);
});

/** Every text of a description that the other side chose, with a way to set it. */
const texts: [string, (it: SessionDescription, value: string) => void][] = [
  ['ufrag', (it, value) => (it.ufrag = value)],
  ['pwd', (it, value) => (it.pwd = value)],
  ['algorithm', (it, value) => (it.fingerprints = [{ ...native.fingerprints[0], value: '', algorithm: value }])],
  ['fingerprint', (it, value) => (it.fingerprints = [{ algorithm: 'sha-256', value }])],
  ['codec name', (it, value) => (it.codecs = [...native.codecs, { name: value, pt: 100, rate: 48_000, ch: 2, fmtp: '', rtcp_fb: [] }])],
  ['fmtp', (it, value) => (it.codecs = native.codecs.map((codec) => ({ ...codec, fmtp: value })))],
  ['rtcp_fb', (it, value) => (it.codecs = native.codecs.map((codec) => ({ ...codec, rtcp_fb: [value] })))],
  ['extmap', (it, value) => (it.extmap = [{ id: 2, uri: value }])],
  ['cname', (it, value) => (it.cname = value)],
  ['options', (it, value) => (it.options = [value])],
];

/** The text, if it can be written. */
function written(description: SessionDescription, mid: string): string | undefined {
  try {
    return toSdp(description, mid);
  } catch {
    return undefined;
  }
}

test('no text of the other side can end its line', () => {
  const injected = 'a=candidate:1 1 udp 1 203.0.113.66 9 typ host';
  const known = toSdp(native, '0').split('\r\n').length;
  for (const end of ['\r\n', '\n', '\r', '\u2028', '\u0085', '\0']) {
    for (const [name, set] of texts) {
      for (const value of [`abcd${end}${injected}`, `${end}${injected}`, `abcdefghijklmnopqrstuvwx${end}`, `sha-256${end}${injected}`]) {
        const hostile = structuredClone(native);
        set(hostile, value);
        for (const mid of ['0', value]) {
          const sdp = written(hostile, mid);
          if (sdp !== undefined) {
            assert.ok(!sdp.includes('203.0.113.66'), `${name}: ${JSON.stringify(value)}`);
            assert.ok(sdp.split(/\r\n|[\r\n\u2028\u0085\0]/).length <= known + 2, `${name}: ${JSON.stringify(sdp)}`);
            assert.ok(sdp.split('\r\n').every((line) => line === '' || /^[a-z]=[\x20-\x7e]+$/.test(line)), `${name}: ${JSON.stringify(sdp)}`);
          }
        }
      }
    }
  }
});

test('a description that could not carry a call is of no use', () => {
  const spoil: [string, Partial<SessionDescription>][] = [
    ['no fingerprint', { fingerprints: [] }],
    ['a weak hash', { fingerprints: [{ algorithm: 'sha-1', value: 'AB:'.repeat(19) + 'AB' }] }],
    ['a short hash', { fingerprints: [{ algorithm: 'sha-256', value: 'AB:CD' }] }],
    ['no codec', { codecs: [] }],
    ['only RED', { codecs: native.codecs.slice(0, 1) }],
    ['Opus at another rate', { codecs: [{ ...native.codecs[1]!, rate: 16_000 }] }],
    ['a payload type that is RTCP', { codecs: [{ ...native.codecs[1]!, pt: 72 }] }],
    ['a payload type that is none', { codecs: [{ ...native.codecs[1]!, pt: 111.5 }] }],
    ['a short name', { ufrag: 'abc' }],
  ];
  for (const [what, change] of spoil) {
    assert.throws(() => toSdp({ ...native, ...change }, '0'), what);
  }
});

test('numbers that would spoil the rest are left out', () => {
  const opus = native.codecs[1]!;
  const twice = toSdp({ ...native, codecs: [opus, { ...opus, fmtp: 'stereo=1' }] }, '0');
  assert.equal(twice.match(/a=rtpmap/g)?.length, 1);
  const extmap = [0, 15, 3, 3].map((id, at) => ({ id, uri: `urn:x${at}` }));
  assert.deepEqual(toSdp({ ...native, extmap }, '0').match(/a=extmap.*/g), ['a=extmap:3 urn:x3']);
});

test('candidates are one line of plain text', () => {
  const good = '1 1 udp 2130706431 192.0.2.1 40000 typ host';
  assert.equal(candidate(good), `candidate:${good}`);
  assert.equal(candidate(`candidate:${good}`), `candidate:${good}`);
  assert.equal(candidate(`a=candidate:${good}`), `candidate:${good}`);
  for (const bad of ['', `${good}\r\na=x`, `${good}\n`, 'é', 'x'.repeat(513)]) {
    assert.equal(candidate(bad), undefined, JSON.stringify(bad));
  }
});
