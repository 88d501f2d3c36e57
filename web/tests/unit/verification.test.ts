// The verification code, against `crates/call/VERIFICATION.md`, and in calls.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { verificationCode, type VerificationInput } from '../../src/code.js';
import type { SessionDescription } from '../../src/signaling/messages.js';
import { commitment, newNonce, verification } from '../../src/verification.js';
import { until } from './lib/page.js';
import { SID, Telephone, theirs } from './lib/telephone.js';

const page = readFileSync('../crates/call/VERIFICATION.md', 'utf8');
/** The two cells of the page's table of vectors. */
const vector = (name: string): string[] => new RegExp(`^\\| ${name} \\|(.*)\\|$`, 'm').exec(page.split('## Test vectors')[1] ?? '')![1]!.split('|').map((it) => it.replace(/`/g, '').trim());
const colons = (hex: string): string => hex.toUpperCase().match(/../g)!.join(':');
const described = (hex: string, more: Partial<SessionDescription> = {}): SessionDescription => ({
  ...theirs('offer', 0),
  fingerprints: [{ algorithm: 'sha-256', value: colons(hex) }],
  ...more,
});
const NONCE = 'ab'.repeat(32);

test('the code is what the page says', async () => {
  for (const at of [0, 1]) {
    const [FA, FB, NA, NB, commit] = ['`FA`', '`FB`', '`NA`', '`NB`', '`commit`'].map((name) => vector(name)[at]!) as [string, string, string, string, string];
    assert.equal(await commitment(described(FA), NA), commit);
    const input = await verification(described(FA, { commit }), described(FB, { nonce: NB }), NA);
    assert.deepEqual(input, { fingerprints: FA + FB, nonces: NA + NB });
    const code = await verificationCode(input as VerificationInput);
    assert.equal(code.english.join(' '), vector('English')[at]);
    assert.equal(code.japanese.join(' '), vector('Japanese')[at]);
    assert.ok(code.emoji.every((it) => [...it].length === 1));
  }
});

test('the symbols are those of the native SDK', async () => {
  const rows = readFileSync('../crates/call/src/verification/symbols.tsv', 'utf8').trim().split('\n').map((line) => line.split('\t'));
  const source = readFileSync('src/code.ts', 'utf8');
  const symbols = [...source.matchAll(/'([^']*) ?' *[+\n]/g)].flatMap((match) => match[1]!.trim().split(' ')).filter((it) => /[^\w-]/.test(it));
  assert.deepEqual(symbols, rows.flatMap(([emoji, english, japanese]) => [`${emoji}${english}`, japanese]));
});

test('who is not who it committed to be is found out; what is not said proves nothing', async () => {
  const [NA, NB, F] = [newNonce(), newNonce(), '00'.repeat(32)];
  assert.match(NA, /^[\da-f]{64}$/);
  assert.notEqual(NA, NB);
  const caller = described(F);
  caller.commit = await commitment(caller, NA);
  const callee = described('11'.repeat(32), { nonce: NB });
  assert.ok(await verification(caller, callee, NA));
  for (const nonce of [NB, NA.toUpperCase(), NA.slice(2), `${NA}00`, '']) {
    assert.equal(await verification(caller, callee, nonce), false, nonce);
  }
  assert.equal(await verification({ ...caller, fingerprints: [{ algorithm: 'sha-256', value: colons('22'.repeat(32)) }] }, callee, NA), false);
  const two = [...caller.fingerprints, ...callee.fingerprints];
  const strong = [{ algorithm: 'sha-512', value: colons('33'.repeat(64)) }];
  for (const change of [{ commit: null }, { commit: 'no hash' }, { fingerprints: two }, { fingerprints: strong }]) {
    assert.equal(await verification({ ...caller, ...change }, callee, NA), undefined, JSON.stringify(change));
  }
  assert.equal(await verification(caller, { ...callee, nonce: null }, NA), undefined);
  assert.equal(await verification(caller, { ...callee, fingerprints: two }, NA), undefined);
});

test('a caller commits in every description, and reveals once, to who accepted and whose path is up', async () => {
  const phone = new Telephone();
  await phone.call.makeCall(phone.makeParams());
  await phone.page.pass(50);
  const { server } = phone.page;
  const commit = (phone.heard('make_call')[0]?.['description'] as SessionDescription).commit;
  assert.match(commit ?? '', /^[\da-f]{64}$/);
  server.say({ type: 'call_created', sid: SID });
  server.say({ type: 'peer_verified', party: 1, describe: false });
  server.say({ type: 'peer_verified', party: 2, describe: true });
  await phone.page.pass(50);
  server.say({ type: 'description', party: 1, description: { ...theirs('answer', 1), nonce: NONCE } });
  server.say({ type: 'description', party: 2, description: { ...theirs('answer', 2), nonce: 'cd'.repeat(32) } });
  await phone.page.pass(50);
  assert.equal((phone.heard('description')[0]?.['description'] as SessionDescription).commit, commit);
  phone.connections[0]?.up();
  await phone.page.pass(50);
  server.say({ type: 'accepted', party: 2, call_start_message: null });
  await phone.page.pass(50);
  assert.deepEqual(phone.heard('reveal'), [], 'the path is not up');
  phone.connections[1]?.up();
  await phone.page.pass(50);
  const [revealed] = phone.heard('reveal');
  assert.equal(createHash('sha256').update(Buffer.from(fingerprintOf(phone, 'make_call') + String(revealed?.['nonce']), 'hex')).digest('hex'), commit);
  await until(() => phone.names.includes('Verifiable'));
  const input = phone.events.find(([name]) => name === 'Verifiable')?.[1] as VerificationInput;
  assert.equal(input.nonces, `${String(revealed?.['nonce'])}${'cd'.repeat(32)}`);
  phone.page.wake('online');
  await phone.page.pass(5_000);
  assert.equal(phone.heard('reveal').length, 1);
  assert.equal(phone.names.filter((it) => it === 'Verifiable').length, 1);
  assert.equal((phone.heard('description').at(-1)?.['description'] as SessionDescription).commit, commit);
});

test('there is no code for a device that may have waited for what was revealed', async () => {
  const phone = new Telephone();
  await phone.call.makeCall(phone.makeParams());
  await phone.page.pass(50);
  const { server } = phone.page;
  server.say({ type: 'call_created', sid: SID });
  server.say({ type: 'peer_verified', party: 1, describe: false });
  server.say({ type: 'description', party: 1, description: { ...theirs('answer', 1), nonce: NONCE } });
  await phone.page.pass(50);
  const [connection] = phone.connections;
  connection!.up();
  connection!.packets = 1;
  await phone.page.pass(500);
  assert.deepEqual(phone.said.slice(-3), ['accepted_by_media', 'connected', 'reveal']);
  await until(() => phone.names.includes('Verifiable'));
  server.say({ type: 'accepted', party: 2, call_start_message: null });
  await phone.page.pass(50);
  server.say({ type: 'description', party: 2, description: { ...theirs('answer', 2), nonce: NONCE } });
  await phone.page.pass(50);
  assert.deepEqual(phone.events.filter(([name]) => name === 'Verifiable').map(([, param]) => typeof param), ['object', 'undefined']);
  assert.equal(phone.heard('reveal').length, 1);
});

/** The own fingerprint, as hexadecimal. */
function fingerprintOf(phone: Telephone, message: string): string {
  const { fingerprints } = phone.heard(message)[0]?.['description'] as SessionDescription;
  return fingerprints[0]!.value.replace(/:/g, '').toLowerCase();
}

/** A callee that accepted a caller with this commitment, and whose path is up. */
async function accepted(commit: string | null): Promise<Telephone> {
  const phone = new Telephone();
  const { server } = phone.page;
  await phone.call.verifyCall(phone.verifyParams());
  await phone.page.pass(50);
  const caller = { user_id: 'bob', service_id: 'demo' };
  const description = { ...theirs('offer', 0), commit };
  server.say({ type: 'verified', sid: SID, party: 1, caller, media_type: 'audio', call_start_message: null, description, candidates: [], end_of_candidates: false });
  await phone.page.pass(50);
  phone.connections[0]?.up();
  await phone.page.pass(50);
  await phone.call.acceptCall();
  await phone.page.pass(50);
  return phone;
}

test('a callee checks the commitment: another nonce ends the call, none is no code', async () => {
  const commit = (await commitment(theirs('offer', 0), NONCE)) as string;
  const honest = await accepted(commit);
  assert.ok(!honest.names.includes('Verifiable'));
  honest.page.server.say({ type: 'reveal', nonce: NONCE });
  honest.page.server.say({ type: 'reveal', nonce: 'cd'.repeat(32) });
  await honest.page.pass(50);
  await until(() => honest.names.includes('Verifiable'));
  const input = honest.events.at(-1)?.[1] as VerificationInput;
  const own = honest.heard('description')[0]?.['description'] as SessionDescription;
  assert.equal(input.nonces, NONCE + String(own.nonce));
  assert.equal(input.fingerprints.slice(64), fingerprintOf(honest, 'description'));
  assert.equal((await verificationCode(input)).emoji.length, 5);

  const attacked = await accepted(commit);
  attacked.page.server.say({ type: 'reveal', nonce: 'cd'.repeat(32) });
  await attacked.page.pass(50);
  await until(() => attacked.names.includes('Disconnected'));
  assert.equal((attacked.events.at(-1)?.[1] as { reason: { strCode: string } }).reason.strCode, 'AUTH_ERROR');
  assert.ok(!attacked.names.includes('Verifiable'));

  const old = await accepted(null);
  old.page.server.say({ type: 'reveal', nonce: NONCE });
  await old.page.pass(1_000);
  for (let turn = 0; turn < 100; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  assert.equal(old.call.state, 'connected');
  assert.ok(!old.names.includes('Verifiable'));
});
