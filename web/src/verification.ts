/** This side's half of the verification code: what `crates/call/VERIFICATION.md` calls commit, reveal and check. */

import type { VerificationInput } from './params.js';
import type { SessionDescription } from './signaling/messages.js';

/** 32 bytes, as nonces and commitments are written; fingerprints once they are stripped of their colons. */
const HEX = /^[\da-f]{64}$/;

const hex = (buffer: ArrayBuffer | Uint8Array): string => [...new Uint8Array(buffer)].map((byte) => byte.toString(16).padStart(2, '0')).join('');

/** 32 random bytes, in hexadecimal. */
export function newNonce(): string {
  return hex(crypto.getRandomValues(new Uint8Array(32)));
}

/** What binds a caller to its certificate and its nonce before it knows the other ones; `null` when there can be no code. */
export async function commitment(caller: SessionDescription, nonce: string): Promise<string | null> {
  const own = fingerprint(caller);
  const bytes = (own + nonce).match(/../g) ?? [];
  // Web Cryptography is there on secure pages only.
  return own && crypto.subtle ? hex(await crypto.subtle.digest('SHA-256', Uint8Array.from(bytes, (byte) => parseInt(byte, 16)))) : null;
}

/**
 * What the code is made of.
 *
 * @param caller what the caller said first
 * @param callee what the device of the callee said first, which has its nonce
 * @param nonce of the caller
 * @returns `undefined` when there is no code, as with a peer of an older version; `false` when the caller is not who it committed to be
 */
export async function verification(
  caller: SessionDescription,
  callee: SessionDescription,
  nonce: string,
): Promise<VerificationInput | false | undefined> {
  const [own, theirs, promised] = [fingerprint(caller), fingerprint(callee), caller.commit ?? ''];
  if (!own || !theirs || !HEX.test(promised) || !HEX.test(callee.nonce ?? '')) {
    return undefined;
  }
  return HEX.test(nonce) && promised === (await commitment(caller, nonce)) && { fingerprints: own + theirs, nonces: nonce + callee.nonce };
}

/** The only fingerprint of a description. With several, the one that is looked at would not have to be the one that counts. */
function fingerprint({ fingerprints }: SessionDescription): string | undefined {
  const [, found] = /^sha-256 ([\da-f]{64})$/.exec(fingerprints.map((it) => `${it.algorithm} ${it.value}`).join().toLowerCase().replace(/:/g, '')) ?? [];
  return found;
}
