/** Reads messages of the server. What passes has kept every limit of `limits.ts`. */

import * as limits from './limits.js';
import type { Envelope, Policy, ServerEnvelope, ServerMessage } from './messages.js';
import { callId, flag, int, list, object, one, optional, or, parse, serviceId, text, u32, u64, u8, userId, type Read } from './read.js';
import { DISCONNECT_SOURCE, KIT_DISCONNECT_REASON, sourceOf, strCode } from './reasons.js';

const some = or(text(limits.TEXT), '');
const no = or(flag, false);
const token = text(limits.TOKEN);
const startMessage = optional(text(limits.CALL_START_MESSAGE));
const candidates = list(text(limits.CANDIDATE), limits.CANDIDATES);
const texts = or(list(text(limits.TEXT), limits.LIST), []);
/** A code of a newer peer ends a call all the same. */
const reason: Read<number> = (value) => {
  const code = int(0xffff)(value);
  return strCode(code) ? code : KIT_DISCONNECT_REASON.INTERNAL_ERROR;
};

/** The number of a source that is not documented counts as that of `undefined`. */
const source: Read<number> = (value) => (sourceOf(u8(value)) === DISCONNECT_SOURCE.UNDEFINED ? 0 : (value as number));

const description = object({
  v: int(limits.VERSION),
  party: optional(u32),
  generation: or(u32, 0),
  ufrag: text(limits.TEXT, 4), // RFC 8839 §5.4: at least 4 characters of name and 22 of password.
  pwd: text(limits.TEXT, 22),
  options: texts,
  candidates: or(candidates, []),
  end_of_candidates: no,
  fingerprints: list(object({ algorithm: text(limits.TEXT), value: text(limits.TEXT) }), limits.LIST, 1),
  setup: or(one('active', 'passive', 'actpass'), 'actpass'),
  commit: optional(text(limits.TEXT)),
  nonce: optional(text(limits.TEXT)),
  codecs: or(
    list(object({ name: some, pt: or(u8, 0), rate: or(u32, 0), ch: or(u8, 0), fmtp: some, rtcp_fb: texts }), limits.LIST),
    [],
  ),
  extmap: or(list(object({ id: u8, uri: text(limits.TEXT) }), limits.LIST), []),
  mid: some,
  ssrc: or(u32, 0),
  cname: some,
  direction: or(one('sendrecv', 'sendonly', 'recvonly', 'inactive'), 'sendrecv'),
  ptime: or(u32, 0),
});

const policy: Read<Policy> = object({
  pre_connect: or(flag, true),
  verified_after_ms: or(u32, 1000),
  connect_timeout_ms: or(u32, 15_000),
});
const party = { party: u32 };

/** The readers of every message, by type. */
const MESSAGES: { [T in Exclude<ServerMessage['type'], 'unknown'>]: { [F in keyof Omit<ServerMessage & { type: T }, 'type'>]: Read<unknown> } } = {
  welcome: {
    session: token,
    resume: token,
    heartbeat_ms: u32,
    resumed: flag,
    ice_servers: or(
      list(
        object({ urls: list(token, limits.ICE_SERVERS), username: optional(token), credential: optional(token) }),
        limits.ICE_SERVERS,
      ),
      [],
    ),
    policy: or(policy, policy({})),
  },
  call_created: { sid: callId },
  wait_connected: {},
  verified: {
    sid: callId,
    ...party,
    caller: object({ user_id: userId, service_id: serviceId }),
    media_type: or(one('audio'), 'audio'),
    call_start_message: startMessage,
    description: optional(description),
    candidates: or(candidates, []),
    end_of_candidates: no,
  },
  peer_verified: { ...party, describe: flag },
  peer_left: party,
  description: { ...party, description },
  candidates: { ...party, generation: u32, candidates, end: flag },
  accepted: { ...party, call_start_message: startMessage },
  peer_muted: { muted: flag },
  peer_held: { held: flag, reason: optional(text(limits.HOLD_REASON)) },
  reveal: { nonce: text(limits.TEXT) },
  ended: { reason, source, user_code: optional(text(limits.RELEASE_PHRASE)) },
  ack: {},
  pong: {},
  error: { reason, message: or(token, '') },
};

/** These concern only the connection that they travel on. */
const UNNUMBERED = ['welcome', 'ack', 'pong', 'error'];

const header = { v: int(limits.VERSION), seq: or(u64, 0), ack: or(u64, 0) };

/**
 * Reads one WebSocket text message of the server; `undefined` when it is malformed or breaks a limit, to be counted and
 * dropped. A message of an unknown type is given as `unknown`; unknown fields are left out.
 */
export function decode(json: string): ServerEnvelope | undefined {
  try {
    if (limits.byteLength(json) > limits.MESSAGE) return undefined;
    const value = parse(json) as { type?: unknown };
    const { v, seq, ack } = object(header)(value);
    if (v !== limits.VERSION || typeof value.type !== 'string') return undefined;
    const known = Object.hasOwn(MESSAGES, value.type);
    const type = known ? (value.type as keyof typeof MESSAGES) : 'unknown';
    if (known && (seq === 0) !== UNNUMBERED.includes(type)) return undefined;
    const fields = known ? object(MESSAGES[type as keyof typeof MESSAGES])(value) : {};
    return { v, seq, ack, type, ...fields } as Envelope<ServerMessage>;
  } catch {
    return undefined;
  }
}
