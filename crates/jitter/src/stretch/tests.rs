use super::*;

fn tone(period: f32, length: usize) -> Vec<f32> {
    (0..length)
        .map(|n| (n as f32 * std::f32::consts::TAU / period).sin())
        .collect()
}

#[test]
fn finds_the_period_both_ways() {
    let signal = tone(401.0, 4000);
    for direction in [Direction::Ahead, Direction::Back] {
        let found = search(&signal, 1000, 480, (120, 720), direction).unwrap();
        assert!(found.lag.abs_diff(401) <= 2, "{found:?}");
        assert!(found.likeness > 0.99);
    }
}

#[test]
fn stays_within_the_signal() {
    let signal = tone(300.0, 1000);
    assert_eq!(search(&signal, 600, 480, (120, 720), Direction::Ahead), None);
    assert_eq!(search(&signal, 100, 480, (120, 720), Direction::Back), None);
    assert!(search(&signal, 500, 480, (5, 720), Direction::Ahead).unwrap().lag <= 20);
}

#[test]
fn a_cross_fade_goes_from_one_to_the_other() {
    let mut out = [1.0; 100];
    cross_fade(&mut out, [0.0; 100].into_iter());
    assert!(out[0] > 0.99 && out[99] < 0.01 && out.is_sorted_by(|a, b| a >= b));
}
