use super::{KeyDerivation, KeyingMaterial, Label, MasterKey, Protocol, apply_keystream, counter_mode};
use crate::{KeyError, Profile, cipher::counter_iv, testing::hex};

/// RFC 3711 appendix B.2.
#[test]
fn aes_counter_mode_keystream() {
    let key = counter_mode(&hex("2B7E151628AED2A6ABF7158809CF4F3C")).unwrap();
    let salt: [u8; 14] = hex("F0F1F2F3F4F5F6F7F8F9FAFBFCFD").try_into().unwrap();
    let mut stream = vec![0; 0xff02 * 16];
    apply_keystream(&key, counter_iv(&salt, 0, 0), &mut stream).unwrap();
    for (block, expected) in [
        (0, "E03EAD0935C95E80E166B16DD92B4EB4"),
        (1, "D23513162B02D0F72A43A2FE4A5F97AB"),
        (2, "41E95B3BB0A2E8DD477901E4FCA894C0"),
        (0xfeff, "EC8CDF7398607CB0F2D21675EA9EA1E4"),
        (0xff00, "362B7C3C6773516318A077D7FC5073AE"),
        (0xff01, "6A2CC3787889374FBEB4C81B17BA6C44"),
    ] {
        assert_eq!(stream[block * 16..][..16], hex(expected), "block {block:#x}");
    }
}

/// RFC 3711 appendix B.3.
#[test]
fn session_keys() {
    let master = MasterKey {
        key: hex("E1F97A0D3E018BE0D64FA32C06DE4139"),
        salt: hex("0EC675AD498AFEEBB6960B3AABE6"),
    };
    let derivation = KeyDerivation::new(Profile::Aes128CmHmacSha1_80, &master).unwrap();
    let derive = |label, len| {
        let mut out = vec![0xff; len];
        derivation.derive(Protocol::Rtp, label, &mut out).unwrap();
        out
    };
    assert_eq!(derive(Label::Encryption, 16), hex("C61E7A93744F39EE10734AFE3FF7A087"));
    assert_eq!(derive(Label::Salt, 14), hex("30CBBC08863D8C85D49DB34A9AE1"));
    let authentication = hex(
        "CEBE321F6FF7716B6FD4AB49AF256A156D38BAA48F0A0ACF3C34E2359E6CDBCEE049646C43D9327AD17557\
        8EF72270986371C10C9A369AC2F94A8C5FBCDDDC256D6E919A48B610EF17C2041E474035766B68642C59BBFC2F34DB60DBDFB2",
    );
    assert_eq!(authentication.len(), 94);
    assert_eq!(derive(Label::Authentication, 94), authentication);
}

#[test]
fn dtls_material_is_split_by_role() {
    let profile = Profile::AeadAes128Gcm;
    let material: Vec<u8> = (0..u8::try_from(profile.keying_material_len()).unwrap()).collect();
    let client = KeyingMaterial::from_dtls(profile, &material, true).unwrap();
    let server = KeyingMaterial::from_dtls(profile, &material, false).unwrap();
    assert_eq!(client.local, server.remote);
    assert_eq!(client.remote, server.local);
    assert_eq!(client.local.key, (0..16).collect::<Vec<u8>>());
    assert_eq!(client.remote.key, (16..32).collect::<Vec<u8>>());
    assert_eq!(client.local.salt, (32..44).collect::<Vec<u8>>());
    assert_eq!(client.remote.salt, (44..56).collect::<Vec<u8>>());
    assert_eq!(
        KeyingMaterial::from_dtls(profile, &material[1..], true),
        Err(KeyError::MaterialLength {
            expected: 56,
            actual: 55
        })
    );
}

#[test]
fn lengths_are_checked_and_keys_stay_out_of_logs() {
    let mut master = MasterKey {
        key: vec![1; 16],
        salt: vec![2; 12],
    };
    assert!(KeyDerivation::new(Profile::AeadAes128Gcm, &master).is_ok());
    assert!(matches!(
        KeyDerivation::new(Profile::AeadAes256Gcm, &master),
        Err(KeyError::KeyLength {
            expected: 32,
            actual: 16
        })
    ));
    master.salt.push(2);
    assert!(matches!(
        KeyDerivation::new(Profile::AeadAes128Gcm, &master),
        Err(KeyError::SaltLength {
            expected: 12,
            actual: 13
        })
    ));
    assert_eq!(format!("{master:?}"), "MasterKey(…)");
}
