//! Links: rates of loss, order, delay, queueing.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::time::{Duration, Instant};

use duologue_testnet::{Clock, Link, LinkConfig, Loss, Rng, seed_from_env};
use proptest::prelude::*;

const MS: Duration = Duration::from_millis(1);

/// Sends `count` datagrams of 100 bytes, one each 20 ms; the arrival times by number.
fn run(config: LinkConfig, seed: u64, count: u32) -> (Instant, Vec<Vec<Instant>>) {
    let start = Clock::new().now();
    let mut link = Link::new(config, seed);
    (start, (0..count).map(|i| link.send(100, start + 20 * MS * i)).collect())
}

#[expect(clippy::cast_precision_loss, reason = "small counts")]
fn lost_share(arrivals: &[Vec<Instant>]) -> f64 {
    arrivals.iter().filter(|a| a.is_empty()).count() as f64 / arrivals.len() as f64
}

#[test]
fn the_default_link_is_perfect() {
    let (start, arrivals) = run(LinkConfig::default(), 1, 100);
    for (i, arrival) in (0..).zip(arrivals) {
        assert_eq!(arrival, [start + 20 * MS * i]);
    }
}

#[test]
fn independent_loss_has_the_configured_rate() {
    for (i, p) in (0..).zip([0.0, 0.01, 0.05, 0.2, 0.5, 1.0]) {
        let (_, arrivals) = run(
            LinkConfig {
                loss: Loss::Bernoulli(p),
                ..LinkConfig::default()
            },
            10 + i,
            50_000,
        );
        // Four deviations of a binomial share.
        let tolerance = 4.0 * (p * (1.0 - p) / 50_000.0).sqrt();
        assert!(
            (lost_share(&arrivals) - p).abs() <= tolerance,
            "{p}: {}",
            lost_share(&arrivals)
        );
    }
}

#[test]
fn bursty_loss_has_the_stationary_rate_and_the_mean_burst_of_its_chain() {
    let loss = Loss::GilbertElliott {
        p: 0.02,
        r: 0.25,
        good: 0.0,
        bad: 1.0,
    };
    assert!((loss.mean() - 0.02 / 0.27).abs() < 1e-12);
    let (_, arrivals) = run(
        LinkConfig {
            loss,
            ..LinkConfig::default()
        },
        3,
        200_000,
    );
    assert!(
        (lost_share(&arrivals) - loss.mean()).abs() < 0.004,
        "{}",
        lost_share(&arrivals)
    );

    let (mut bursts, mut lost) = (0_u32, 0_u32);
    for (i, arrival) in arrivals.iter().enumerate() {
        if arrival.is_empty() {
            lost += 1;
            bursts += u32::from(i == 0 || !arrivals[i - 1].is_empty());
        }
    }
    // A stay in the bad state is geometric with mean 1/r.
    let mean = f64::from(lost) / f64::from(bursts);
    assert!((mean - 4.0).abs() < 0.2, "{mean}");
}

#[test]
fn loss_has_its_mean_in_words() {
    assert_eq!(Loss::None.mean(), 0.0);
    assert_eq!(Loss::Bernoulli(0.3).mean(), 0.3);
    assert_eq!(
        Loss::GilbertElliott {
            p: 0.0,
            r: 0.0,
            good: 0.1,
            bad: 1.0
        }
        .mean(),
        0.1
    );
}

#[test]
fn a_rate_serialises_and_a_full_queue_drops() {
    // 100 bytes at 80 kbit/s take 10 ms.
    let config = LinkConfig {
        rate_bps: Some(80_000),
        queue: 25 * MS,
        ..LinkConfig::default()
    };
    let start = Clock::new().now();
    let mut link = Link::new(config, 1);
    let arrivals: Vec<_> = (0..5).map(|_| link.send(100, start)).collect();
    assert_eq!(
        arrivals,
        [
            vec![start + 10 * MS],
            vec![start + 20 * MS],
            vec![start + 30 * MS],
            vec![],
            vec![]
        ]
    );
    assert_eq!(link.stats().queue_drops, 2);
    // The line is free again at 30 ms.
    assert_eq!(link.send(100, start + 40 * MS), [start + 50 * MS]);
}

#[test]
fn a_rate_of_zero_passes_as_good_as_nothing_and_does_not_divide_by_it() {
    let start = Clock::new().now();
    let mut link = Link::new(
        LinkConfig {
            rate_bps: Some(0),
            ..LinkConfig::default()
        },
        1,
    );
    assert!(link.send(100, start)[0] > start + Duration::from_secs(600));
    assert!(link.send(100, start).is_empty());
}

#[test]
fn datagrams_above_the_mtu_do_not_pass() {
    let start = Clock::new().now();
    let mut link = Link::new(
        LinkConfig {
            mtu: 1200,
            ..LinkConfig::default()
        },
        1,
    );
    assert_eq!(link.send(1200, start).len(), 1);
    assert_eq!(link.send(1201, start).len(), 0);
    assert_eq!(link.stats().oversized, 1);
}

#[test]
fn duplicates_and_reordered_ones_come_in_the_configured_share() {
    let config = LinkConfig {
        duplicate: 0.1,
        reorder: 0.2,
        reorder_by: 100 * MS,
        ..LinkConfig::default()
    };
    let (_, arrivals) = run(config, 4, 20_000);
    let twice = arrivals.iter().filter(|a| a.len() == 2).count();
    assert!((1_800..2_200).contains(&twice), "{twice}");
    let overtaken = arrivals.windows(2).filter(|pair| pair[0][0] > pair[1][0]).count();
    // Held back by more than the 20 ms to the next one in four of five cases, unless the next one is held back longer.
    assert!((2_400..3_600).contains(&overtaken), "{overtaken}");
}

#[test]
fn jitter_has_the_mean_of_a_folded_normal_variable() {
    // Far enough apart that keeping the order never moves one.
    let config = LinkConfig {
        jitter: 5 * MS,
        delay: 10 * MS,
        ..LinkConfig::default()
    };
    let (start, arrivals) = run(config, 9, 20_000);
    let extra = (0..)
        .zip(&arrivals)
        .map(|(i, a)| (a[0] - (start + 20 * MS * i + 10 * MS)).as_secs_f64());
    let mean = extra.sum::<f64>() / 20_000.0;
    // E|N(0, σ)| = σ √(2/π) = 3.989 ms.
    assert!((mean - 0.003_989).abs() < 0.000_1, "{mean}");
}

#[test]
fn the_generator_never_changes() {
    // Reference: xoshiro256** whose state is four numbers of SplitMix64 from 0; the first of these is well known.
    let mut rng = Rng::new(0);
    let first: [u64; 3] = std::array::from_fn(|_| rng.next_u64());
    assert_eq!(
        first,
        [0x99ec_5f36_cb75_f2b4, 0xbf6e_1f78_4956_452a, 0x1a5f_849d_4933_e6e0]
    );
    let mean = (0..100_000).map(|_| rng.gaussian()).sum::<f64>() / 100_000.0;
    assert!(mean.abs() < 0.02, "{mean}");
    assert_eq!(rng.range(5..5), 5);
    assert!(!rng.chance(0.0) && rng.chance(1.0));
    assert_ne!(rng.fork().bytes::<9>(), [0; 9]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn order_is_kept_unless_reordering_is_asked_for(
        seed: u64,
        delay in 0_u32..200,
        jitter in 0_u32..100,
        loss in 0.0..0.5_f64,
        duplicate in 0.0..0.5_f64,
        rate in proptest::option::of(10_000_u64..1_000_000),
    ) {
        let config = LinkConfig {
            delay: MS * delay,
            jitter: MS * jitter,
            loss: Loss::Bernoulli(loss),
            duplicate,
            rate_bps: rate,
            ..LinkConfig::default()
        };
        let (start, arrivals) = run(config.clone(), seed, 300);
        let flat: Vec<Instant> = arrivals.iter().flatten().copied().collect();
        prop_assert!(flat.is_sorted());
        // Never early, and by no more late than the sum of what is configured (80 ms of serialisation at 10 kbit/s).
        for (i, arrival) in (0..).zip(&arrivals) {
            for at in arrival {
                let took = *at - (start + 20 * MS * i);
                prop_assert!(took >= config.delay);
                prop_assert!(took <= config.delay + config.jitter * 4 + config.queue + 80 * MS);
            }
        }
        prop_assert_eq!(run(config, seed, 300).1.iter().flatten().count(), flat.len());
    }

    #[test]
    fn the_same_seed_gives_the_same_arrivals(seed: u64) {
        let start = Clock::new().now();
        let all = |seed| {
            let mut link = Link::new(LinkConfig { reorder: 0.1, ..LinkConfig::lte() }, seed);
            (0..200).map(|i| link.send(160, start + 20 * MS * i)).collect::<Vec<_>>()
        };
        prop_assert_eq!(all(seed), all(seed));
        prop_assert_ne!(all(seed), all(seed ^ 1));
    }

    #[test]
    fn ranges_hold_their_bounds(seed: u64, start in 0_u64..1000, span in 1_u64..1000) {
        let mut rng = Rng::new(seed);
        for _ in 0..50 {
            prop_assert!((start..start + span).contains(&rng.range(start..start + span)));
            prop_assert!((0.0..1.0).contains(&rng.next_f64()));
        }
    }
}

#[test]
fn presets_lose_what_they_say() {
    for (config, share) in [
        (LinkConfig::lan(), 0.0),
        (LinkConfig::wifi(), 0.005),
        (LinkConfig::lte(), 0.02),
        (LinkConfig::lossy(0.1), 0.1),
    ] {
        assert!(
            (config.loss.mean() - share).abs() < 0.001,
            "{config:?}: {}",
            config.loss.mean()
        );
    }
    assert_eq!(
        seed_from_env(5),
        std::env::var("SIM_SEED").map_or(5, |_| seed_from_env(0))
    );
}
