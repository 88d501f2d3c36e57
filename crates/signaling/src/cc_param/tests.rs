use proptest::prelude::*;

use super::*;

/// A stand-in for a MAC that depends on every byte and on the key.
fn mac(kid: u32, message: &[u8]) -> Vec<u8> {
    let mut state = u64::from(kid) ^ 0xcbf2_9ce4_8422_2325;
    let mut out = Vec::new();
    for _ in 0..4 {
        for byte in message {
            state = (state ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
        out.extend_from_slice(&state.to_be_bytes());
    }
    out
}

fn verify(kid: u32, message: &[u8], tag: &[u8]) -> bool {
    mac(kid, message) == tag
}

fn info(id: &str) -> CcParamInfo {
    CcParamInfo {
        sid: CallId::from_random([7; 16]),
        caller_id: id.parse().unwrap(),
        caller_service_id: "s".parse().unwrap(),
        callee_id: "bob".parse().unwrap(),
        callee_service_id: "s".parse().unwrap(),
        media_type: MediaType::Audio,
        expires: 1_000,
    }
}

#[test]
fn what_is_sealed_can_be_peeked_at_and_opened() {
    let info = info("alice");
    let text = CcParam::seal(&info, 3, |message| mac(3, message));
    assert_eq!(CcParam::peek(&text), Ok(info.clone()));
    assert_eq!(CcParam::open(&text, &info.callee(), 999, verify), Ok(info));
}

#[test]
fn the_longest_fits() {
    let long = "x".repeat(limits::ID);
    let mut info = info(&long);
    info.caller_service_id = long.parse().unwrap();
    info.callee_id = long.parse().unwrap();
    info.callee_service_id = long.parse().unwrap();
    info.expires = u64::MAX;
    let text = CcParam::seal(&info, u32::MAX, |_| vec![0xff; 64]);
    assert!(text.len() <= limits::CC_PARAM, "{}", text.len());
}

#[test]
fn it_is_bound_to_callee_time_and_key() {
    let info = info("alice");
    let text = CcParam::seal(&info, 3, |message| mac(3, message));
    let callee = info.callee();
    assert_eq!(
        CcParam::open(&text, &callee, 1_000, verify),
        Err(CcParamError::Expired { at: 1_000 })
    );
    let other = User {
        user_id: "carol".parse().unwrap(),
        ..callee.clone()
    };
    assert_eq!(CcParam::open(&text, &other, 0, verify), Err(CcParamError::OtherCallee));
    let other = User {
        service_id: "t".parse().unwrap(),
        ..callee.clone()
    };
    assert_eq!(CcParam::open(&text, &other, 0, verify), Err(CcParamError::OtherCallee));
    let text = CcParam::seal(&info, 3, |message| mac(4, message));
    assert_eq!(CcParam::open(&text, &callee, 0, verify), Err(CcParamError::Forged));
}

#[test]
fn every_field_is_authenticated() {
    let info = info("alice");
    let text = CcParam::seal(&info, 3, |message| mac(3, message));
    let json = String::from_utf8(BASE64.decode(&text).unwrap()).unwrap();
    for (from, to) in [
        ("alice", "alicf"),
        ("\"exp\":1000", "\"exp\":9999"),
        ("0707", "0708"),
        ("\"kid\":3", "\"kid\":4"),
    ] {
        let forged = json.replacen(from, to, 1);
        assert_ne!(forged, json, "{from}");
        let forged = BASE64.encode(forged);
        assert_eq!(
            CcParam::open(&forged, &info.callee(), 0, verify),
            Err(CcParamError::Forged),
            "{from}"
        );
    }
}

#[test]
fn what_cannot_be_read_is_named() {
    assert_eq!(
        CcParam::peek(&"A".repeat(1025)),
        Err(CcParamError::TooLong { length: 1025 })
    );
    for bad in ["", "====", "e30", "bnVsbA", "ä"] {
        assert_eq!(CcParam::peek(bad), Err(CcParamError::Malformed), "{bad}");
    }
    let text = CcParam::seal(&info("alice"), 3, |message| mac(3, message));
    let json = String::from_utf8(BASE64.decode(&text).unwrap()).unwrap();
    let newer = BASE64.encode(json.replacen("\"v\":1", "\"v\":2", 1));
    assert_eq!(CcParam::peek(&newer), Err(CcParamError::Version { version: 2 }));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn garbage_is_refused(text in "\\PC{0,200}") {
        prop_assert!(CcParam::peek(&text).is_err());
    }

    #[test]
    fn no_flipped_bit_passes(at in any::<prop::sample::Index>(), bit in 0..8_u8) {
        let info = info("alice");
        let mut bytes = CcParam::seal(&info, 3, |message| mac(3, message)).into_bytes();
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        if let Ok(text) = String::from_utf8(bytes) {
            prop_assert!(CcParam::open(&text, &info.callee(), 0, verify).is_err());
        }
    }
}
