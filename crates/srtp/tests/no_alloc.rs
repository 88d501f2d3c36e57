//! Protecting and unprotecting allocates nothing once a source is known and the buffers have their size.
#![allow(clippy::unwrap_used, reason = "tests")]

use assert_no_alloc::{AllocDisabler, assert_no_alloc};
use duologue_srtp::{KeyingMaterial, Profile, Receiver, Sender};

#[global_allocator]
static ALLOCATOR: AllocDisabler = AllocDisabler;

#[test]
fn steady_state() {
    for profile in Profile::ALL {
        let exported = vec![5; profile.keying_material_len()];
        let keys = KeyingMaterial::from_dtls(profile, &exported, true).unwrap();
        let mut sender = Sender::new(profile, &keys.local).unwrap();
        let mut receiver = Receiver::new(profile, &keys.local).unwrap();
        let mut rtp = vec![0; 92];
        rtp[0] = 0x80;
        let mut rtcp = vec![0; 64];
        rtcp[0] = 0x80;
        let (mut wire, mut packet) = (Vec::with_capacity(200), Vec::with_capacity(200));
        let mut round = |sequence: u16| {
            rtp[2..4].copy_from_slice(&sequence.to_be_bytes());
            sender.protect_rtp(&rtp, &mut wire).unwrap();
            receiver.unprotect_rtp(&wire, &mut packet).unwrap();
            sender.protect_rtcp(&rtcp, &mut wire).unwrap();
            receiver.unprotect_rtcp(&wire, &mut packet).unwrap();
            assert!(receiver.unprotect_rtcp(&wire, &mut packet).is_err());
        };
        round(0);
        assert_no_alloc(|| (1..1000).for_each(&mut round));
    }
}
