/**
 * The verification code: five pictures by which two users see that nobody sits between their devices. They read them out to each other.
 *
 * How it is made stands in `crates/call/VERIFICATION.md`, and so does what it proves.
 *
 * @packageDocumentation
 */

import type { VerificationInput } from './params.js';

export type { VerificationInput } from './params.js';

const INFO = 'duologue verification code v1';

/** What both users compare. All three lists have five entries and say the same. */
export interface VerificationCode {
  /** Pictures of one character each. */
  emoji: string[];
  /** Their names in English, in lower case. */
  english: string[];
  /** Their names in Japanese. */
  japanese: string[];
}

/** The table of symbols: picture and English name, Japanese name. */
const SYMBOLS = (
  '🐶dog いぬ 🐱cat ねこ 🐴horse うま 🐮cow うし 🐷pig ぶた 🐰rabbit うさぎ 🐻bear くま 🐼panda パンダ 🐯tiger とら 🦁lion ライオン 🐵monkey さる ' +
  '🐘elephant ぞう 🐸frog かえる 🐢turtle かめ 🐍snake へび 🐙octopus たこ 🐬dolphin いるか 🦋butterfly ちょう 🐝bee はち 🐧penguin ペンギン ' +
  '🦉owl ふくろう 🌸blossom さくら 🌻sunflower ひまわり 🌵cactus サボテン 🍄mushroom きのこ 🌲tree き 🍁leaf もみじ 🍎apple りんご 🍌banana バナナ ' +
  '🍇grapes ぶどう 🍓strawberry いちご 🍉watermelon すいか 🌽corn とうもろこし 🥕carrot にんじん 🍞bread パン 🍕pizza ピザ 🎂cake ケーキ 🍵tea おちゃ ' +
  '🌍globe ちきゅう 🌙moon つき ⭐star ほし 🌈rainbow にじ 🔥fire ひ ⛄snowman ゆきだるま ⚓anchor いかり 🚲bicycle じてんしゃ 🚗car くるま ' +
  '🚂train きしゃ 🚀rocket ロケット ⛵sailboat ヨット 🏠house いえ 🎩hat ぼうし 👓glasses めがね 👑crown かんむり 🌂umbrella かさ 🎁gift おくりもの ' +
  '🎈balloon ふうせん ⏰clock とけい 🔑key かぎ 🔨hammer かなづち 📕book ほん 🎸guitar ギター 🔔bell すず ⚽ball ボール'
).split(' ');

/**
 * Makes the code.
 *
 * @param input what `evtVerifiable` carried
 * @throws TypeError on a page without Web Cryptography, which then gets no `evtVerifiable` either
 */
export async function verificationCode(input: VerificationInput): Promise<VerificationCode> {
  const secret = await crypto.subtle.importKey('raw', bytes(input.fingerprints), 'HKDF', false, ['deriveBits']);
  const algorithm = { name: 'HKDF', hash: 'SHA-256', salt: bytes(input.nonces), info: new TextEncoder().encode(INFO) };
  const word = new DataView(await crypto.subtle.deriveBits(algorithm, secret, 32)).getUint32(0);
  const rows = [26, 20, 14, 8, 2].map((shift) => (word >>> shift) & 63);
  const first = rows.map((row) => SYMBOLS[2 * row] ?? '');
  return {
    emoji: first.map((it) => it.replace(/\w/g, '')),
    english: first.map((it) => it.replace(/\W/g, '')),
    japanese: rows.map((row) => SYMBOLS[2 * row + 1] ?? ''),
  };
}

function bytes(hex: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(hex.match(/../g) ?? [], (byte) => parseInt(byte, 16));
}
