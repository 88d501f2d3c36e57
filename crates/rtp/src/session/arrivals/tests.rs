use super::*;

#[expect(
    clippy::disallowed_methods,
    reason = "one base instant; every other is computed from it"
)]
fn base() -> Instant {
    Instant::now()
}

fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

#[test]
fn arrivals_are_told_after_an_interval_with_their_gaps() {
    let start = base();
    let mut arrivals = Arrivals::default();
    // The number wraps; 65535 is lost; 1 and 0 swap on the way.
    arrivals.note(65_534, start + ms(70));
    arrivals.note(1, start + ms(90));
    arrivals.note(0, start + ms(91));
    arrivals.note(1, start + ms(95));
    assert_eq!(arrivals.due(), Some(start + ms(170)));
    assert_eq!(arrivals.take(start, start + ms(169)), None);
    let feedback = arrivals.take(start, start + ms(170)).unwrap();
    assert_eq!(
        feedback,
        TransportWideFeedback {
            base: 65_534,
            reference_time: 1,
            count: 0,
            // 6 ms after the reference of 64 ms, 21 ms later, 1 ms earlier than that.
            arrivals: vec![Some(24), None, Some(84), Some(-4)],
        }
    );
    assert_eq!(arrivals.due(), None);
    // Told as lost; it stays so.
    arrivals.note(65_535, start + ms(171));
    assert_eq!(arrivals.due(), None);
    // The next message begins where the last one ended, with what is lost since.
    arrivals.note(4, start + ms(200));
    let feedback = arrivals.take(start, start + ms(300)).unwrap();
    assert_eq!((feedback.base, feedback.count), (2, 1));
    assert_eq!(feedback.arrivals, [None, None, Some(32)]);
}

#[test]
fn a_leap_in_the_numbers_is_a_new_beginning() {
    let start = base();
    let mut arrivals = Arrivals::default();
    arrivals.note(10, start);
    assert_eq!(arrivals.take(start, start + ms(100)).unwrap().base, 10);
    arrivals.note(20_000, start + ms(200));
    let feedback = arrivals.take(start, start + ms(300)).unwrap();
    assert_eq!((feedback.base, feedback.arrivals.len()), (20_000, 1));
    // Within one interval it is two messages.
    arrivals.note(20_001, start + ms(400));
    arrivals.note(30_000, start + ms(401));
    let first = arrivals.take(start, start + ms(500)).unwrap();
    assert_eq!((first.base, first.arrivals.len()), (20_001, 1));
    assert_eq!(arrivals.due(), Some(start + ms(500)));
    let second = arrivals.take(start, start + ms(500)).unwrap();
    assert_eq!((second.base, second.arrivals.len()), (30_000, 1));
    assert_eq!(arrivals.take(start, start + ms(500)), None);
}

#[test]
fn a_long_wait_does_not_overflow_a_step() {
    let start = base();
    let mut arrivals = Arrivals::default();
    arrivals.note(1, start);
    arrivals.note(2, start + Duration::from_secs(60));
    let late = start + Duration::from_secs(61);
    assert_eq!(arrivals.take(start, late).unwrap().arrivals, [Some(0)]);
    let second = arrivals.take(start, late).unwrap();
    assert_eq!((second.base, second.reference_time), (2, 937));
    assert_eq!(second.arrivals, [Some(128)]);
}

#[test]
fn what_waits_is_bounded() {
    let start = base();
    let mut arrivals = Arrivals::default();
    for number in 0..u16::MAX {
        arrivals.note(number, start);
    }
    assert_eq!(arrivals.waiting.len(), MAX_WAITING);
    assert!(arrivals.take(start, start + ms(100)).unwrap().arrivals.len() <= MAX_WAITING);
}
