// Replays what the Rust machines do (`crates/signaling/tests/vectors`) against `src/signaling`.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { checkMakeCall, checkVerifyCall, peekCcParam, type MakeCallFields, type VerifyCallFields } from '../../src/signaling/check.js';
import { CallError } from '../../src/errors.js';
import { Link } from '../../src/signaling/link.js';
import { ClientCall, CommandError, type Output, type PathEvent, type Role, type Timers } from '../../src/signaling/machine.js';
import { decode, encode, type ClientMessage, type MakeCall, type ServerEnvelope, type ServerMessage, type SessionDescription, type Welcome } from '../../src/signaling/messages.js';
import { DISCONNECT_SOURCE, KIT_DISCONNECT_REASON, START_FAIL_REASON, isMultidev, mayComeFrom, sourceOf, strCode } from '../../src/signaling/reasons.js';

function read<T>(name: string): T[] {
  return JSON.parse(readFileSync(`tests/vectors/${name}.json`, 'utf8')) as T[];
}

/** Values as JSON has them: what is not there is null. */
function plain(value: unknown): unknown {
  return value === undefined ? null : JSON.parse(JSON.stringify(value));
}

function same(actual: unknown, expected: unknown, where: string): void {
  try {
    assert.deepStrictEqual(plain(actual), expected);
  } catch {
    assert.fail(`${where}\n  expected ${JSON.stringify(expected)}\n  got      ${JSON.stringify(plain(actual))}`);
  }
}

const UNNUMBERED = ['welcome', 'ack', 'pong', 'error'];

/** A message as it comes in: over the wire. */
function arrive(message: ServerMessage): ServerMessage {
  const seq = UNNUMBERED.includes(message.type) ? 0 : 1;
  const envelope = decode(JSON.stringify({ v: 1, seq, ack: 0, ...message }));
  assert.ok(envelope, `refused: ${JSON.stringify(message)}`);
  const { v: _v, seq: _seq, ack: _ack, ...arrived } = envelope;
  return arrived;
}

type Input = [string, ...unknown[]];
/** Time, input, outputs or refusal, then state, deadline and accepted device. */
type Step = [number, Input, unknown, string, number | null, number | null];
interface Walk {
  name: string;
  role: Role;
  timers?: Timers;
  steps: Step[];
}

function feed(call: ClientCall, [what, ...given]: Input, now: number): void {
  const [a, b, c, d] = given;
  switch (what) {
    case 'make_call':
      return call.makeCall(a as MakeCall, now);
    case 'verify_call':
      return call.verifyCall(a as string, now);
    case 'accept':
      return call.accept(a as string | null, now);
    case 'end':
      return call.end(a as number | null, b as string | null, now);
    case 'mute':
      return call.mute(a as boolean);
    case 'hold':
      return call.hold(a as boolean, b as string | null);
    case 'describe':
      return call.describe(a as number | null, b as SessionDescription);
    case 'add_candidates':
      return call.addCandidates(a as number | null, b as number, c as string[], d as boolean);
    case 'reveal':
      return call.reveal(a as string);
    case 'message':
      return call.handleMessage(arrive(a as ServerMessage), now);
    case 'signal_up':
      return call.handleSignalUp(arrive(a as ServerMessage) as ServerMessage & Welcome);
    case 'signal_down':
      return call.handleSignalDown(a as number | null, now);
    case 'path':
      return call.handlePath(a as number, b as PathEvent, now);
    case 'timeout':
      return call.handleTimeout(now);
    default:
      throw new Error(`no such input: ${what}`);
  }
}

function replay({ name, role, timers, steps }: Walk): void {
  const call = new ClientCall(role, timers);
  steps.forEach(([now, input, expected, ...seen], at) => {
    const where = `${name}, step ${at} at ${now} ms: ${JSON.stringify(input)}`;
    let refused: CommandError | undefined;
    try {
      feed(call, input, now);
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      refused = error;
    }
    const outputs: Output[] = [];
    for (let output = call.pollOutput(); output; output = call.pollOutput()) outputs.push(output);
    if (refused) assert.equal(outputs.length, 0, where);
    same(refused ? { state: refused.state, role: refused.role } : outputs, expected, where);
    same([call.state, call.pollTimeout() ?? null, call.accepted ?? null], seen, `${where}: state, deadline, accepted`);
  });
}

test('random walks', () => {
  type Shared = [number, number, number[] | number, number, number | null, number | null];
  const entries = read<{ value: unknown } | (Omit<Walk, 'steps'> & { steps: Shared[] })>('walks');
  const values = entries.flatMap((entry) => ('value' in entry ? [entry.value] : []));
  let steps = 0;
  for (const entry of entries) {
    if ('value' in entry) continue;
    const shared = entry.steps.map(([now, input, result, state, ...rest]): Step => {
      const said = Array.isArray(result) ? result.map((it) => values[it]) : values[result];
      return [now, values[input] as Input, said, values[state] as string, ...rest];
    });
    replay({ ...entry, steps: shared });
    steps += shared.length;
  }
  assert.ok(steps >= 10_000, `only ${steps} steps`);
});

test('every row of the table of transitions', () => {
  const walks = read<Walk>('table');
  assert.ok(walks.length >= 30);
  walks.forEach(replay);
});

test('links', () => {
  type Seen = [number, boolean, boolean, number[]];
  const sequences = read<{ name: string; steps: [Input, unknown, Seen][] }>('link');
  assert.ok(sequences.length >= 40);
  for (const { name, steps } of sequences) {
    const link = new Link();
    const act = ([what, a, b]: Input): unknown => {
      switch (what) {
        case 'send':
          return Array.from({ length: a as number }, () => link.send(b as ClientMessage)).filter(Boolean).length;
        case 'handle':
          return link.handle(decode(JSON.stringify(a as ServerEnvelope))!);
        case 'transmit': {
          const sent: unknown[] = [];
          while (sent.length < (a as number)) {
            const envelope = link.pollTransmit();
            if (!envelope) break;
            sent.push(JSON.parse(encode(envelope)));
          }
          return sent;
        }
        case 'resume':
          return link.resume(a as number);
        case 'restart':
          return link.restart();
        case 'close':
          return link.close();
        case 'wrap':
          return link.wrap(a as ClientMessage);
        default:
          throw new Error(`no such input: ${what}`);
      }
    };
    steps.forEach(([input, expected, seen], at) => {
      const where = `${name}, step ${at}: ${JSON.stringify(input)}`;
      same(act(input), expected, where);
      const { duplicates, gaps, bad_acks, replayed } = link.stats;
      same([link.received, link.isDrained, link.isOpen, [duplicates, gaps, bad_acks, replayed]], seen, `${where}: received, drained, open, counts`);
    });
  }
});

test('decoding and its limits', () => {
  const cases = read<[string | object, object | null]>('decode');
  const accepted = cases.filter(([, envelope]) => envelope).length;
  assert.ok(accepted >= 200 && cases.length - accepted >= 400, `${accepted} of ${cases.length} accepted`);
  for (const [given, expected] of cases) {
    const text = typeof given === 'string' ? given : JSON.stringify(given);
    same(decode(text), expected, text.slice(0, 2000));
  }
});

test('parameters', () => {
  type Case =
    | { make: MakeCallFields; reason: string | null }
    | { verify: VerifyCallFields; reason: string | null }
    | { peek: string; info: object | null };
  for (const it of read<Case>('check')) {
    const where = JSON.stringify(it).slice(0, 300);
    if ('make' in it) same(refusal(() => checkMakeCall(it.make)), it.reason, where);
    else if ('verify' in it) same(refusal(() => checkVerifyCall(it.verify)), it.reason, where);
    else same(peekCcParam(it.peek), it.info, where);
  }
});

/** Why the checks refuse; `undefined` when they do not. */
function refusal(check: () => void): unknown {
  try {
    check();
    return undefined;
  } catch (error) {
    assert.ok(error instanceof CallError);
    return error.reason;
  }
}

test('parameters that only JavaScript can have', () => {
  const good = { myId: 'alice', myServiceId: 's', peerId: 'bob', peerServiceId: 's', accessToken: 't' };
  checkMakeCall(good);
  const cases: [MakeCallFields, string][] = [
    [{ ...good, myId: undefined }, 'invalid_user_id'],
    [{ ...good, peerServiceId: 7 }, 'invalid_service_id'],
    [{ ...good, accessToken: undefined }, 'invalid_param'],
    [{ ...good, accessToken: {} }, 'invalid_param'],
    [{ ...good, mediaType: 'video' }, 'invalid_param'],
    [{ ...good, callStartMessage: '\ud800' }, 'invalid_param'],
    [{ ...good, appServerData: 1 }, 'invalid_param'],
  ];
  for (const [params, reason] of cases) assert.equal(refusal(() => checkMakeCall(params)), reason, JSON.stringify(params));
  for (const ccParam of [undefined, null, 5, {}]) {
    assert.equal(refusal(() => checkVerifyCall({ myId: 'bob', myServiceId: 's', ccParam })), 'decode_call_param');
  }
});

test('reasons', () => {
  type Entry = { code: number; text: string; sources: string[]; multidev: boolean } | { source: number; name: string } | { start: string };
  const entries = read<Entry>('reasons');
  const codes = entries.filter((it) => 'code' in it);
  same(KIT_DISCONNECT_REASON, Object.fromEntries(codes.map((it) => [it.text, it.code])), 'codes');
  for (const { code, text, sources, multidev } of codes) {
    assert.equal(strCode(code), text);
    assert.equal(isMultidev(code), multidev, text);
    const given = Object.values(DISCONNECT_SOURCE).filter((source) => mayComeFrom(code, source));
    same(given, sources.sort((a, b) => given.indexOf(a as never) - given.indexOf(b as never)), text);
  }
  for (const code of [0, 1000, 1306, 1513]) {
    assert.equal(strCode(code), undefined);
    assert.ok(Object.values(DISCONNECT_SOURCE).every((source) => !mayComeFrom(code, source)));
  }
  for (const it of entries) {
    if ('source' in it) assert.equal(sourceOf(it.source), it.name);
    if ('start' in it) assert.ok(Object.values<string>(START_FAIL_REASON).includes(it.start), it.start);
  }
});
