use super::*;

fn limited(limits: Limits) -> Lab {
    Lab::new(Config { limits, ..config() })
}

#[test]
fn a_user_has_so_many_allocations_and_no_more() {
    let mut lab = limited(Limits {
        user_allocations: 2,
        ..Limits::default()
    });
    let mut phones: Vec<Phone> = (0..3)
        .map(|n| Phone::new(&format!("198.7.6.5:{}", 40_000 + n), "alice"))
        .collect();
    phones[0].allocate(&mut lab);
    phones[1].allocate(&mut lab);
    phones[2].greet(&mut lab);
    assert_eq!(phones[2].ask(&mut lab, method::ALLOCATE, udp), Said::Error(486));
    // Others are not concerned, and what is given back can be had again.
    Phone::new("198.7.6.6:1", "bob").allocate(&mut lab);
    assert_eq!(phones[0].refresh(&mut lab, 0), Said::Success);
    assert_eq!(phones[2].ask(&mut lab, method::ALLOCATE, udp), Said::Success);
    assert_eq!(lab.server.stats().over_quota, 1);
}

#[test]
fn the_server_has_so_many_allocations_and_no_more() {
    let mut lab = limited(Limits {
        allocations: 3,
        ..Limits::default()
    });
    for n in 0..3 {
        Phone::new(&format!("198.7.6.5:{}", 40_000 + n), &format!("user{n}")).allocate(&mut lab);
    }
    let mut late = Phone::new("198.7.6.5:50000", "late");
    late.greet(&mut lab);
    assert_eq!(late.ask(&mut lab, method::ALLOCATE, udp), Said::Error(508));
    lab.advance(600);
    late.greet(&mut lab);
    assert_eq!(late.ask(&mut lab, method::ALLOCATE, udp), Said::Success);
}

#[test]
fn permissions_and_channels_are_counted() {
    let mut lab = limited(Limits {
        permissions: 3,
        channels: 2,
        ..Limits::default()
    });
    let mut phone = Phone::new("198.7.6.5:40000", "alice");
    phone.allocate(&mut lab);
    assert_eq!(phone.bind(&mut lab, 0x4000, "91.0.0.1:1"), Said::Success);
    assert_eq!(phone.bind(&mut lab, 0x4001, "91.0.0.1:2"), Said::Success);
    assert_eq!(phone.bind(&mut lab, 0x4002, "91.0.0.1:3"), Said::Error(508));
    let two = |b: &mut Builder| {
        peer_address(b, "91.0.0.2:1");
        peer_address(b, "91.0.0.3:1");
    };
    assert_eq!(phone.ask(&mut lab, method::CREATE_PERMISSION, two), Said::Success);
    assert_eq!(phone.permit(&mut lab, "91.0.0.4:1"), Said::Error(508));
    assert_eq!(
        phone.permit(&mut lab, "91.0.0.3:9"),
        Said::Success,
        "renewed, not added"
    );
    lab.advance(301);
    assert_eq!(
        phone.permit(&mut lab, "91.0.0.4:1"),
        Said::Success,
        "the old ones have gone"
    );
}

#[test]
fn bandwidth_is_the_users_and_comes_back_with_time() {
    let mut lab = limited(Limits {
        user_bytes_per_second: 1_000,
        user_burst: 2_000,
        ..Limits::default()
    });
    let mut phones = [
        Phone::new("198.7.6.5:40000", "alice"),
        Phone::new("198.7.6.5:40001", "alice"),
    ];
    for phone in &mut phones {
        phone.allocate(&mut lab);
        assert_eq!(phone.bind(&mut lab, 0x4000, PEER), Said::Success);
    }
    let message = channel_data(0x4000, &[0; 500]);
    let send = |lab: &mut Lab, count: usize| {
        (0..count)
            .filter(|n| {
                let (client, now) = (phones[n % 2].client, lab.now);
                lab.server.handle_client(client, &message, now).is_some()
            })
            .count()
    };
    assert_eq!(send(&mut lab, 10), 4, "a burst, over both allocations together");
    assert_eq!(lab.server.stats().over_bandwidth, 6);
    lab.advance(1);
    assert_eq!(send(&mut lab, 10), 2);
    lab.advance(100);
    assert_eq!(send(&mut lab, 10), 4, "never more than the burst");
    // Going and coming back does not fill the bucket.
    for phone in &mut phones {
        assert_eq!(phone.refresh(&mut lab, 0), Said::Success);
    }
    let mut again = Phone::new("198.7.6.5:40002", "alice");
    again.allocate(&mut lab);
    assert_eq!(again.bind(&mut lab, 0x4000, PEER), Said::Success);
    let now = lab.now;
    assert!(lab.server.handle_client(again.client, &message, now).is_none());
}

#[test]
fn many_users_come_and_go_in_bounded_memory() {
    let mut lab = limited(Limits {
        allocations: 8,
        ..Limits::default()
    });
    for n in 0..2_000 {
        let mut phone = Phone::new("198.7.6.5:40000", &format!("user{n}"));
        phone.allocate(&mut lab);
        assert_eq!(phone.refresh(&mut lab, 0), Said::Success);
        lab.advance(1);
    }
    assert!(lab.server.slots.len() <= 8);
    assert!(lab.server.users.remembered() <= 16);
}
