// What a push service checks of a message before it takes it: RFC 8030 §5, RFC 8291 §4, RFC 8292.
import { createPublicKey, verify } from 'node:crypto';

const DAY = 24 * 3600;
/** RFC 8291 §4: a push service need not take more. */
const LONGEST = 4096;

/** @typedef {{ status: number, why: string }} Refusal */

/**
 * Checks one message.
 * @param {import('node:http').IncomingHttpHeaders} headers
 * @param {Buffer} body
 * @param {string} origin of this push service
 * @param {string} key that the browser subscribed with, base64url
 * @returns {Refusal | undefined}
 */
export function check(headers, body, origin, key) {
  const authorized = authorization(headers.authorization ?? '', origin, key);
  if (authorized) return authorized;
  if (headers['content-encoding'] !== 'aes128gcm') return { status: 415, why: 'Content-Encoding must be aes128gcm' };
  if (body.length > LONGEST) return { status: 413, why: `${body.length} bytes` };
  // RFC 8188 §2.1: salt, record size, key id; RFC 8291 §4: the key id is the sender's public key, and there is one record.
  if (body.length < 86 + 17 || body[20] !== 65 || body[21] !== 4 || body.readUInt32BE(16) < body.length - 86) {
    return { status: 400, why: 'not an aes128gcm message of one record' };
  }
  // RFC 8030 §5.2 to §5.4.
  if (!/^\d{1,10}$/.test(String(headers.ttl))) return { status: 400, why: 'TTL is missing or no number' };
  if (headers.urgency !== undefined && !/^(very-low|low|normal|high)$/.test(String(headers.urgency))) {
    return { status: 400, why: 'Urgency has no such value' };
  }
  if (headers.topic !== undefined && !/^[\w-]{1,32}$/.test(String(headers.topic))) {
    return { status: 400, why: 'Topic must be at most 32 characters of base64url' };
  }
  return undefined;
}

/**
 * RFC 8292 §2 and §3.
 * @param {string} header
 * @param {string} origin
 * @param {string} key
 * @returns {Refusal | undefined}
 */
function authorization(header, origin, key) {
  const found = /^vapid\s+t=([\w-]+\.[\w-]+\.[\w-]+)\s*,\s*k=([\w-]+)$/i.exec(header);
  if (!found) return { status: 401, why: 'Authorization must be: vapid t=…, k=…' };
  const [, token, sender] = found;
  if (sender !== key) return { status: 403, why: 'the browser subscribed with another key' };
  const [head, claims, signature] = token.split('.');
  const point = Buffer.from(sender, 'base64url');
  const jwk = { kty: 'EC', crv: 'P-256', x: point.subarray(1, 33).toString('base64url'), y: point.subarray(33).toString('base64url') };
  const publicKey = { key: createPublicKey({ key: jwk, format: 'jwk' }), dsaEncoding: /** @type {const} */ ('ieee-p1363') };
  if (read(head)?.alg !== 'ES256' || !verify('sha256', Buffer.from(`${head}.${claims}`), publicKey, Buffer.from(signature, 'base64url'))) {
    return { status: 403, why: 'the token is not signed with the key' };
  }
  const { aud, exp } = read(claims) ?? {};
  const now = Date.now() / 1000;
  if (aud !== origin) return { status: 403, why: `aud is ${aud} instead of ${origin}` };
  if (!(typeof exp === 'number' && exp > now && exp <= now + DAY)) return { status: 403, why: `exp ${exp} is not within a day of ${now}` };
  return undefined;
}

/**
 * @param {string} part
 * @returns {Record<string, unknown> | undefined}
 */
function read(part) {
  try {
    return JSON.parse(Buffer.from(part, 'base64url').toString());
  } catch {
    return undefined;
  }
}
