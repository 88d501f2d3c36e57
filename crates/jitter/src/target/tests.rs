use super::*;

const MILLIS: i64 = 48;

fn learnt(delays: impl Iterator<Item = i64>) -> i64 {
    let mut target = Target::new(48_000, 40 * MILLIS, Duration::from_millis(40));
    for (n, delay) in (0..).zip(delays) {
        target.learn(delay * MILLIS, 960, n * 960 + delay * MILLIS, None);
    }
    target.delay() / MILLIS
}

#[test]
fn starts_at_the_start_delay() {
    assert_eq!(learnt([].into_iter()), 40);
}

#[test]
fn falls_to_one_bucket_when_nothing_is_late() {
    assert_eq!(learnt(std::iter::repeat_n(0, 200)), 5);
}

#[test]
fn covers_what_comes_often() {
    assert_eq!(learnt((0..2000).map(|n| if n % 10 == 0 { 62 } else { 3 })), 62);
}

#[test]
fn does_not_wait_for_what_comes_once() {
    let stall = (0..30).map(|n| 600 - 20 * n);
    let target = learnt(
        std::iter::repeat_n(3, 250)
            .chain(stall)
            .chain(std::iter::repeat_n(3, 50)),
    );
    assert!(target <= 20, "{target} ms");
}

#[test]
fn rises_at_once_when_everything_is_late() {
    assert!(learnt(std::iter::repeat_n(0, 500).chain(std::iter::repeat_n(120, 8))) >= 120);
}
