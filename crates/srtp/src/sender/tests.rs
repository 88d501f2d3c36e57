use crate::{
    MAX_PACKET, MAX_SOURCES, Profile, ProtectError,
    testing::{pair, rtcp, rtp},
};

#[test]
fn the_same_packet_again_gives_the_same_bytes_and_another_is_refused() {
    for profile in Profile::ALL {
        let (mut sender, _) = pair(profile);
        let (mut first, mut again) = (Vec::new(), Vec::new());
        sender.protect_rtp(&rtp(1, 10), &mut first).unwrap();
        sender.protect_rtp(&rtp(1, 11), &mut again).unwrap();
        sender.protect_rtp(&rtp(1, 10), &mut again).unwrap();
        assert_eq!(first, again);
        let mut other = rtp(1, 10);
        *other.last_mut().unwrap() ^= 1;
        assert_eq!(
            sender.protect_rtp(&other, &mut again),
            Err(ProtectError::IndexReused { sequence: 10 })
        );
        assert!(again.is_empty());
    }
}

#[test]
fn history_forgets_what_is_far_behind() {
    let (mut sender, _) = pair(Profile::AeadAes128Gcm);
    let mut out = Vec::new();
    sender.protect_rtp(&rtp(1, 100), &mut out).unwrap();
    sender.protect_rtp(&rtp(1, 300), &mut out).unwrap();
    assert_eq!(
        sender.protect_rtp(&rtp(1, 100), &mut out),
        Err(ProtectError::IndexReused { sequence: 100 })
    );
    sender.protect_rtp(&rtp(1, 173), &mut out).unwrap();
    assert!(sender.protect_rtp(&rtp(1, 172), &mut out).is_err());
}

#[test]
fn what_cannot_be_protected_is_refused() {
    let (mut sender, _) = pair(Profile::Aes128CmHmacSha1_80);
    let mut out = Vec::new();
    assert_eq!(
        sender.protect_rtp(&[0x80; 11], &mut out),
        Err(ProtectError::Malformed { length: 11 })
    );
    assert_eq!(
        sender.protect_rtcp(&[0x80; 7], &mut out),
        Err(ProtectError::Malformed { length: 7 })
    );
    let mut long = rtp(1, 1);
    long.resize(MAX_PACKET - 9, 0);
    assert_eq!(
        sender.protect_rtp(&long, &mut out),
        Err(ProtectError::TooLong { length: MAX_PACKET - 9 })
    );
    long.pop();
    sender.protect_rtp(&long, &mut out).unwrap();
    assert_eq!(out.len(), MAX_PACKET);
}

#[test]
fn the_source_table_is_bounded() {
    let (mut sender, _) = pair(Profile::AeadAes128Gcm);
    let mut out = Vec::new();
    for ssrc in 0..MAX_SOURCES as u32 {
        sender.protect_rtp(&rtp(ssrc, 1), &mut out).unwrap();
        sender.protect_rtcp(&rtcp(ssrc, &[]), &mut out).unwrap();
    }
    let refused = Err(ProtectError::TooManySources { ssrc: 999 });
    assert_eq!(sender.protect_rtp(&rtp(999, 1), &mut out), refused);
    assert_eq!(sender.protect_rtcp(&rtcp(999, &[]), &mut out), refused);
    sender.protect_rtp(&rtp(0, 2), &mut out).unwrap();
}

#[test]
fn rtcp_indices_count_up_and_end() {
    let (mut sender, _) = pair(Profile::AeadAes128Gcm);
    let mut out = Vec::new();
    sender.protect_rtcp(&rtcp(5, &[1]), &mut out).unwrap();
    assert!(out.ends_with(&[0x80, 0, 0, 1]), "the first index is 1");
    sender.protect_rtcp(&rtcp(5, &[1]), &mut out).unwrap();
    assert!(out.ends_with(&[0x80, 0, 0, 2]));
    sender.rtcp_sources.insert(5, 0x7fff_fffe);
    sender.protect_rtcp(&rtcp(5, &[1]), &mut out).unwrap();
    assert!(out.ends_with(&[0xff; 4]));
    assert_eq!(
        sender.protect_rtcp(&rtcp(5, &[1]), &mut out),
        Err(ProtectError::KeyExhausted)
    );
}

#[test]
fn rtp_indices_end() {
    let (mut sender, _) = pair(Profile::Aes128CmHmacSha1_80);
    let mut out = Vec::new();
    sender.protect_rtp(&rtp(5, 0xffff), &mut out).unwrap();
    sender.rtp_sources.get_mut(&5).unwrap().newest = (1 << 48) - 1;
    assert_eq!(
        sender.protect_rtp(&rtp(5, 0), &mut out),
        Err(ProtectError::KeyExhausted)
    );
}
