use super::*;

/// Turns of `payloads` each, `gap` apart; whether the last one is followed by a wait.
fn waits(payloads: usize, gap: Duration) -> bool {
    let begin = Instant::now();
    let mut linger = Linger::new(begin);
    (0..1_000)
        .map(|turn| linger.after(payloads, begin + gap * turn))
        .last()
        .flatten()
        .is_some()
}

#[test]
fn few_payloads_are_never_kept_waiting() {
    assert!(!waits(1, Duration::from_millis(20)), "one call");
    assert!(!waits(1, Duration::from_micros(500)), "ten calls, both ways");
    assert!(!waits(30, Duration::from_millis(20)), "in bursts");
    assert!(!waits(0, Duration::from_micros(10)), "nothing but requests");
}

#[test]
fn many_wait_for_each_other_unless_they_come_in_crowds_anyway() {
    assert!(waits(1, Duration::from_micros(100)));
    assert!(waits(5, Duration::from_micros(300)));
    assert!(!waits(64, Duration::from_micros(300)));
}
