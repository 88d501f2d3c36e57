use super::*;

#[test]
fn real_push_services_are_taken() {
    for endpoint in [
        "https://fcm.googleapis.com/fcm/send/abc:def",
        "https://updates.push.services.mozilla.com/wpush/v2/gAAA",
        "https://web.push.apple.com/QAbc",
        "https://wns2-par02p.notify.windows.com/w/?token=abc",
        "https://push.example.org:8443/UP?token=1",
        "https://8.8.8.8/wpush/1",
        "https://[2606:4700::1111]/wpush/1",
    ] {
        assert!(EndpointPolicy::Public.check(endpoint).is_ok(), "{endpoint}");
    }
}

#[test]
fn what_only_this_machine_reaches_is_refused_in_every_notation() {
    for host in [
        "localhost",
        "LOCALHOST.",
        "a.localhost",
        "127.0.0.1",
        "127.1",
        "0x7f.0.0.1",
        "2130706433",
        "0177.0.0.1",
        "0.0.0.0",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "198.18.0.1",
        "192.0.2.1",
        "224.0.0.1",
        "255.255.255.255",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::ffff:10.0.0.1]",
        "[fe80::1]",
        "[fd00::1]",
        "[ff02::1]",
        "[2002:7f00:1::]",
        "[2002:a00:1::]",
        "[64:ff9b::7f00:1]",
        "[64:ff9b:1::808:808]",
        "[2001:db8::1]",
        "[2001::1]",
        "[::127.0.0.1]",
        "printer",
        "printer.",
    ] {
        let endpoint = format!("https://{host}/wpush/1");
        assert_eq!(
            EndpointPolicy::Public.check(&endpoint).err(),
            Some(EndpointError::NotPublic),
            "{endpoint}"
        );
    }
}

#[test]
fn other_forms_are_refused() {
    let refused = |endpoint: &str| EndpointPolicy::Public.check(endpoint).unwrap_err();
    assert_eq!(refused("http://push.example.com/1"), EndpointError::Scheme);
    assert_eq!(refused("ftp://push.example.com/1"), EndpointError::Scheme);
    assert_eq!(refused("https://a:b@push.example.com/1"), EndpointError::Credentials);
    assert_eq!(
        refused("https://127.0.0.1@push.example.com/1"),
        EndpointError::Credentials
    );
    for malformed in [
        "",
        "push.example.com/1",
        "/relative",
        "data:,x",
        "https://",
        "https://[::1",
    ] {
        assert_eq!(refused(malformed), EndpointError::Malformed, "{malformed}");
    }
    let long = format!("https://push.example.com/{}", "a".repeat(LONGEST));
    assert!(matches!(refused(&long), EndpointError::TooLong { .. }));
}

#[test]
fn development_adds_this_machine_and_nothing_else() {
    let policy = EndpointPolicy::PublicAndLoopback;
    for endpoint in [
        "http://127.0.0.1:8080/wpush/1",
        "http://localhost:1/",
        "http://[::1]:2/",
        "https://127.0.0.1/",
    ] {
        assert!(policy.check(endpoint).is_ok(), "{endpoint}");
    }
    assert_eq!(
        policy.check("http://push.example.com/").err(),
        Some(EndpointError::Scheme)
    );
    assert_eq!(policy.check("http://192.168.0.1/").err(), Some(EndpointError::Scheme));
    assert_eq!(
        policy.check("https://192.168.0.1/").err(),
        Some(EndpointError::NotPublic)
    );
}

#[tokio::test]
async fn a_name_reaches_only_addresses_that_are_allowed() {
    let resolve = |policy: EndpointPolicy| async move { policy.resolve("localhost".parse().unwrap()).await };
    let Err(refused) = resolve(EndpointPolicy::Public).await else {
        panic!("localhost is resolved outside development");
    };
    assert!(refused.downcast_ref::<EndpointError>().is_some());
    let Ok(mut found) = resolve(EndpointPolicy::PublicAndLoopback).await else {
        panic!("localhost is not resolved in development");
    };
    assert!(found.all(|at| at.ip().is_loopback()));
    // A public name that points here: only the name `localhost` may.
    assert!(!EndpointPolicy::PublicAndLoopback.allows("push.example.com", IpAddr::V4(Ipv4Addr::LOCALHOST)));
    assert!(EndpointPolicy::Public.allows("push.example.com", "8.8.8.8".parse().unwrap()));
}
