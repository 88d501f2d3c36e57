use super::*;

#[test]
fn the_fastest_of_the_last_two_seconds_is_the_base() {
    let mut arrival = Arrival::new(48_000);
    assert_eq!(arrival.insert(1000, 0), 0);
    assert_eq!(arrival.insert(1960 + 500, 960), 500);
    assert_eq!(arrival.insert(2920 - 100, 1920), 0);
    assert_eq!(arrival.base(), 900);
    assert_eq!(arrival.insert(3880, 2880), 100);
}

#[test]
fn a_lasting_change_becomes_the_base_after_two_seconds() {
    let mut arrival = Arrival::new(48_000);
    arrival.insert(0, 0);
    let delays: Vec<i64> = (1..=150).map(|n| arrival.insert(n * 960 + 4800, n * 960)).collect();
    assert!(delays[..90].iter().all(|&delay| delay == 4800));
    assert_eq!(delays[149], 0);
}

#[test]
fn memory_is_bounded() {
    let mut arrival = Arrival::new(48_000);
    for n in 0..10_000 {
        arrival.insert(n, n - n * n);
    }
    assert!(arrival.window.len() <= CAPACITY && arrival.window.capacity() <= 2 * CAPACITY);
    assert!(
        arrival
            .window
            .iter()
            .zip(arrival.window.iter().skip(1))
            .all(|(a, b)| a.1 < b.1)
    );
}
