use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::*;

fn bytes<const N: usize>(text: &str) -> [u8; N] {
    URL_SAFE_NO_PAD.decode(text).unwrap().try_into().unwrap()
}

/// RFC 8291 Appendix A, whose result stands in §5.
const PLAINTEXT: &str = "V2hlbiBJIGdyb3cgdXAsIEkgd2FudCB0byBiZSBhIHdhdGVybWVsb24";
const AS_PRIVATE: &str = "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw";
const UA_PUBLIC: &str = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4";
const SALT_TEXT: &str = "DGv6ra1nlYgDCS1FRnbzlw";
const AUTH_TEXT: &str = "BTBZMqHH6r4Tts7J_aSIgg";
const BODY: &str = "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN";

#[test]
fn the_example_of_the_rfc_comes_out_byte_for_byte() {
    let key = PrivateKey::from_private_key(&ECDH_P256, &bytes::<32>(AS_PRIVATE)).unwrap();
    let plaintext = URL_SAFE_NO_PAD.decode(PLAINTEXT).unwrap();
    let body = seal(
        &bytes(UA_PUBLIC),
        &bytes(AUTH_TEXT),
        &plaintext,
        &key,
        &bytes(SALT_TEXT),
    )
    .unwrap();
    assert_eq!(URL_SAFE_NO_PAD.encode(body), BODY);
}

#[test]
fn the_longest_message_fills_the_record_and_a_longer_one_is_refused() {
    let subscription = PushSubscription {
        endpoint: "https://push.example/1".into(),
        p256dh: bytes(UA_PUBLIC),
        auth: bytes(AUTH_TEXT),
        expires: None,
    };
    let body = encrypt(&subscription, &[b'x'; LONGEST]).unwrap();
    assert_eq!(body.len(), RECORD);
    // Nothing of one message is used again in the next.
    assert_ne!(encrypt(&subscription, &[b'x'; LONGEST]).unwrap(), body);
    assert!(matches!(
        encrypt(&subscription, &[b'x'; LONGEST + 1]),
        Err(WebPushError::TooLong { length }) if length == LONGEST + 1
    ));
}
