//! The verification code against a peer that does what `VERIFICATION.md` says, or does not.

use aws_lc_rs::{digest, hkdf};
use duologue_call::CallEventKind;
use duologue_signaling::ids::PartyId;
use duologue_signaling::{ClientMessage, ServerMessage, SessionDescription};

use crate::bench::Bench;
use crate::{chromium, chromium_codecs, second};

const NONCE: [u8; 32] = [0x5a; 32];

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Vec<u8> {
    let digits = text.replace(':', "");
    (0..digits.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap())
        .collect()
}

fn fingerprint(description: &SessionDescription) -> Vec<u8> {
    unhex(&description.fingerprints[0].value)
}

fn commit(fingerprint: &[u8], nonce: &[u8]) -> String {
    hex(digest::digest(&digest::SHA256, &[fingerprint, nonce].concat()).as_ref())
}

struct Four;

impl hkdf::KeyType for Four {
    fn len(&self) -> usize {
        4
    }
}

/// The page's formula, once more: the English words.
fn expected(caller: (&[u8], &[u8]), callee: (&[u8], &[u8])) -> String {
    let salt = [caller.1, callee.1].concat();
    let secret = [caller.0, callee.0].concat();
    let mut bytes = [0; 4];
    hkdf::Salt::new(hkdf::HKDF_SHA256, &salt)
        .extract(&secret)
        .expand(&[b"duologue verification code v1"], Four)
        .unwrap()
        .fill(&mut bytes)
        .unwrap();
    let table = include_str!("../../src/verification/symbols.tsv");
    let rows: Vec<&str> = table.lines().collect();
    let word = u32::from_be_bytes(bytes);
    let symbols = (0..5).map(|at| rows[(word >> (26 - 6 * at) & 63) as usize]);
    let words: Vec<&str> = symbols.map(|row| row.split('\t').nth(1).unwrap()).collect();
    words.join(" ")
}

fn shown(bench: &Bench) -> Vec<String> {
    let codes = bench.events.iter().filter_map(|event| match event {
        CallEventKind::VerificationCode(code) => Some(code.english()),
        _ => None,
    });
    codes.collect()
}

fn reason(bench: &Bench) -> Option<&'static str> {
    bench.events.iter().find_map(|event| match event {
        CallEventKind::Disconnected(param) => Some(param.reason.str_code),
        _ => None,
    })
}

/// The engine is called by a peer whose description is changed like this; accepted, and not revealed yet.
fn called(change: fn(&mut SessionDescription)) -> (Bench, Vec<u8>) {
    let mut bench = Bench::callee();
    bench.add_peer(&chromium());
    let own = fingerprint(&bench.peers[0].describe(Vec::new(), Vec::new()));
    bench.peers[0].identity = Some(Box::new(change));
    bench.offer(chromium_codecs(), Vec::new(), false);
    bench.accept();
    (bench, own)
}

fn committed(caller: &mut SessionDescription) {
    caller.commit = Some(commit(&fingerprint(caller), &NONCE));
}

#[test]
fn the_callee_shows_a_code_when_the_reveal_fits_the_commitment() {
    let (mut bench, own) = called(committed);
    assert!(shown(&bench).is_empty(), "nothing is shown before the reveal");
    assert_eq!(bench.engine.verification_code(), None);
    let answer = bench.description(None).unwrap();
    assert_eq!(answer.commit, None);
    bench.say(ServerMessage::Reveal { nonce: hex(&NONCE) });
    let nonce = unhex(answer.nonce.as_deref().unwrap());
    let code = expected((&own, &NONCE), (&fingerprint(&answer), &nonce));
    assert_eq!(shown(&bench).join(", "), code);
    // A second one changes nothing.
    bench.say(ServerMessage::Reveal { nonce: hex(&[1; 32]) });
    bench.run(second());
    assert_eq!(shown(&bench), [code]);
    assert!(!bench.has("evt_disconnected"));
}

#[test]
fn a_reveal_that_does_not_fit_ends_the_call() {
    for nonce in [
        hex(&[1; 32]),
        hex(&NONCE).to_uppercase(),
        String::new(),
        "zz".repeat(32),
    ] {
        let (mut bench, _) = called(committed);
        bench.say(ServerMessage::Reveal { nonce });
        assert_eq!(reason(&bench), Some("AUTH_ERROR"));
        assert!(shown(&bench).is_empty());
    }
}

#[test]
fn without_commitment_or_with_two_certificates_there_is_no_code() {
    let two = |caller: &mut SessionDescription| {
        committed(caller);
        let mut other = caller.fingerprints[0].clone();
        other.value = ["AB"; 32].join(":");
        caller.fingerprints.push(other);
    };
    let short = |caller: &mut SessionDescription| caller.commit = Some("abcd".into());
    let changes: [fn(&mut SessionDescription); 3] = [|_| {}, short, two];
    for change in changes {
        let (mut bench, _) = called(change);
        bench.say(ServerMessage::Reveal { nonce: hex(&NONCE) });
        bench.run(second());
        assert!(shown(&bench).is_empty());
        assert!(!bench.has("evt_disconnected"), "such a call goes on");
    }
}

/// The engine calls a peer that tells this nonce.
fn calling(nonce: Option<String>) -> Bench {
    let mut bench = Bench::caller();
    let peer = bench.add_peer(&chromium());
    bench.peers[peer].identity = Some(Box::new(move |description: &mut SessionDescription| {
        description.nonce = nonce
    }));
    bench.verify(peer, chromium_codecs(), Vec::new());
    bench
}

fn revealed(bench: &Bench) -> Vec<String> {
    let nonces = bench.told.iter().filter_map(|message| match message {
        ClientMessage::Reveal { nonce } => Some(nonce.clone()),
        _ => None,
    });
    nonces.collect()
}

#[test]
fn the_caller_reveals_once_and_only_after_the_accept() {
    let mut bench = calling(Some(hex(&NONCE)));
    bench.run(second());
    assert!(revealed(&bench).is_empty() && shown(&bench).is_empty());
    bench.accepted(0);
    let [nonce] = &revealed(&bench)[..] else {
        panic!("{:?}", revealed(&bench))
    };
    let offer = bench.description(None).unwrap();
    let own = fingerprint(&offer);
    assert_eq!(offer.commit, Some(commit(&own, &unhex(nonce))));
    assert_eq!(offer.nonce, None);
    let peer = fingerprint(&bench.peers[0].describe(Vec::new(), Vec::new()));
    assert_eq!(shown(&bench), [expected((&own, &unhex(nonce)), (&peer, &NONCE))]);
    bench.run(second());
    assert_eq!(revealed(&bench).len(), 1);
}

#[test]
fn a_peer_without_nonce_is_told_nothing() {
    for nonce in [None, Some("5a".into()), Some("5A".repeat(32))] {
        let mut bench = calling(nonce);
        bench.accepted(0);
        bench.run(second());
        assert!(revealed(&bench).is_empty() && shown(&bench).is_empty());
    }
}

/// A server that knows the caller's nonce could give another device one that makes the codes equal.
#[test]
fn a_device_that_is_accepted_after_the_reveal_to_another_gets_no_code() {
    let mut bench = calling(Some(hex(&NONCE)));
    // Its audio is taken for the accept of the only device there is.
    bench.peers[0].media.set_sending(true);
    bench.run_until("the accept", |bench| bench.has("evt_connected"));
    assert_eq!(shown(&bench).len(), 1);
    assert!(bench.engine.verification_code().is_some());
    bench.say(ServerMessage::Accepted {
        party: PartyId(2),
        call_start_message: None,
    });
    assert_eq!(bench.engine.verification_code(), None);
    bench.run(second());
    assert_eq!((shown(&bench).len(), revealed(&bench).len()), (1, 1));
}
