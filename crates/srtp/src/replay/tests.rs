use std::collections::BTreeSet;

use proptest::prelude::*;

use super::{ReplayWindow, Verdict, estimate_index};

#[test]
fn index_zero_is_known_from_nothing() {
    let mut window = ReplayWindow::default();
    assert_eq!(window.check(0), Verdict::Fresh);
    window.accept(0);
    assert_eq!(window.check(0), Verdict::Replayed);
    assert_eq!(window.newest(), Some(0));
}

#[test]
fn the_edge_of_the_window() {
    let mut window = ReplayWindow::default();
    window.accept(1000);
    window.accept(1000 + 127);
    assert_eq!(window.check(1000), Verdict::Replayed);
    assert_eq!(window.check(999), Verdict::TooOld);
    window.accept(1000 + 128);
    assert_eq!(window.check(1000), Verdict::TooOld);
    window.accept(1 << 40);
    assert_eq!(window.check((1 << 40) - 1), Verdict::Fresh);
    assert_eq!(window.check(1128), Verdict::TooOld);
}

/// RFC 3711 appendix A: exactly half the sequence space away, the rollover counter stays.
#[test]
fn half_the_sequence_space_away_keeps_the_rollover_counter() {
    assert_eq!(estimate_index(Some(3), 0x8003), Some(0x8003));
    assert_eq!(estimate_index(Some(0x5_0003), 0x8003), Some(0x5_8003));
    assert_eq!(estimate_index(Some(0x5_7fff), 0xffff), Some(0x5_ffff));
    assert_eq!(estimate_index(Some(0x5_8000), 0), Some(0x5_0000));
    assert_eq!(estimate_index(Some(0x5_ffff), 0x7fff), Some(0x5_7fff));
}

#[test]
fn estimates_across_the_wrap() {
    assert_eq!(estimate_index(None, 7), Some(7));
    assert_eq!(estimate_index(Some(0xffff), 0), Some(0x1_0000));
    assert_eq!(estimate_index(Some(0x1_0000), 0xffff), Some(0xffff));
    assert_eq!(estimate_index(Some(3), 0xfffe), None, "before the first packet");
    assert_eq!(estimate_index(Some((1 << 48) - 1), 0), None, "after the last");
    assert_eq!(estimate_index(Some(0x5_8000), 0), Some(0x5_0000));
    assert_eq!(estimate_index(Some(0x5_8001), 0), Some(0x6_0000));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn behaves_like_a_set(indices in prop::collection::vec(0_u64..600, 1..300)) {
        let mut window = ReplayWindow::default();
        let mut seen = BTreeSet::new();
        for index in indices {
            let newest = seen.last().copied();
            let expected = match newest {
                Some(newest) if newest >= index + ReplayWindow::LEN => Verdict::TooOld,
                _ if seen.contains(&index) => Verdict::Replayed,
                _ => Verdict::Fresh,
            };
            prop_assert_eq!(window.check(index), expected);
            if expected == Verdict::Fresh {
                window.accept(index);
                seen.insert(index);
            }
            prop_assert_eq!(window.newest(), seen.last().copied());
        }
    }

    #[test]
    fn the_estimate_is_the_nearest(newest in 0x1_0000_u64..1 << 47, sequence: u16) {
        let index = estimate_index(Some(newest), sequence).unwrap();
        prop_assert_eq!(index as u16, sequence);
        prop_assert!(index.abs_diff(newest) <= 0x8000);
    }
}
