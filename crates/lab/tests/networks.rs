//! What the lab builds is what it says: lines, NATs by kind, and nothing left behind.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "tests")]

mod common;

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use common::skipped;
use duologue_lab::namespace::Namespace;
use duologue_lab::nat::Kind;
use duologue_lab::system;
use duologue_lab::tap::Tap;
use duologue_lab::world::{APP_SERVER, COTURN, Line, SERVER, World};
use duologue_testnet::wire::{End, Profile};

/// Generous: only a broken lab reaches it.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long to listen for what must not come. What may come is on its way before that starts.
const SILENCE: Duration = Duration::from_millis(300);

fn line(profile: &str) -> Line {
    Line {
        profile: Profile::named(profile).unwrap(),
        seed: 1,
    }
}

fn socket(namespace: &Namespace, address: Ipv4Addr) -> UdpSocket {
    let socket = namespace.inside(|| Ok(UdpSocket::bind((address, 0))?)).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket
}

/// Sends `what` until `to` has it, since a namespace's interfaces take a moment; its source as `to` sees it.
fn reach(from: &UdpSocket, to: &UdpSocket, what: &[u8]) -> SocketAddr {
    let deadline = Instant::now() + PATIENCE;
    to.set_read_timeout(Some(SILENCE)).unwrap();
    let mut buffer = [0; 100];
    while Instant::now() < deadline {
        from.send_to(what, to.local_addr().unwrap()).unwrap();
        if let Ok((len, source)) = to.recv_from(&mut buffer)
            && &buffer[..len] == what
        {
            return source;
        }
    }
    panic!("nothing arrives at {to:?}");
}

/// Whether what `from` sends to `address` comes out at `at`: before what `known`, who surely gets in, sends after it.
fn gets_in(from: &UdpSocket, known: &UdpSocket, address: SocketAddr, at: &UdpSocket) -> bool {
    let [what, marker] = ["question", "marker"].map(|word| format!("{word} {:?} {address}", from.local_addr()));
    from.send_to(what.as_bytes(), address).unwrap();
    known.send_to(marker.as_bytes(), address).unwrap();
    at.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut buffer = [0; 100];
    let mut came = false;
    loop {
        let (len, _) = at.recv_from(&mut buffer).expect("the marker arrives");
        // Whatever an earlier question left behind is not an answer to this one.
        came |= &buffer[..len] == what.as_bytes();
        if &buffer[..len] == marker.as_bytes() {
            return came;
        }
    }
}

/// (same mapping for all destinations, another host gets in, another port of a known host gets in).
fn behaviour(world: &World, kind: Kind) -> (bool, bool, bool) {
    let phone = Namespace::new("phone").unwrap();
    let _access = world.connect(&phone, "eth0", kind, line("lan"), None).unwrap();
    let inside = socket(&phone, Ipv4Addr::UNSPECIFIED);
    let known = socket(world.servers(), SERVER);
    let outside = reach(&inside, &known, b"hello");
    let own = phone
        .inside(|| {
            let probe = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?;
            probe.connect((SERVER, 9))?;
            Ok(probe.local_addr()?.ip())
        })
        .unwrap();
    assert_eq!(outside.ip() == own, kind == Kind::Open, "{kind}: translated");
    // RFC 4787 §5: what may write to the mapping that the first packet made?
    let [other_port, other_host] =
        [SERVER, COTURN].map(|address| gets_in(&socket(world.servers(), address), &known, outside, &inside));
    // RFC 4787 §4.1: which port do other destinations see?
    let mappings =
        [SERVER, COTURN, APP_SERVER].map(|address| reach(&inside, &socket(world.servers(), address), b"again"));
    (
        mappings.iter().all(|mapping| *mapping == outside),
        other_host,
        other_port,
    )
}

#[test]
fn every_kind_of_nat_maps_and_filters_as_its_name_says() {
    if skipped() {
        return;
    }
    let world = World::new().unwrap();
    let expected = BTreeMap::from([
        ("open", (true, true, true)),
        ("full-cone", (true, true, true)),
        ("address-restricted", (true, false, true)),
        ("port-restricted", (true, false, false)),
        ("symmetric", (false, false, false)),
        ("symmetric-no-hairpin", (false, false, false)),
        ("double", (true, false, false)),
        ("cgn", (true, false, false)),
    ]);
    for kind in Kind::ALL {
        if let Some(expected) = expected.get(kind.name()) {
            assert_eq!(behaviour(&world, kind), *expected, "{kind}");
        }
    }
}

#[test]
fn firewalls_let_out_what_their_name_says() {
    if skipped() {
        return;
    }
    let world = World::new().unwrap();
    let listeners = [443, 80].map(|port| {
        world
            .servers()
            .inside(|| Ok(std::net::TcpListener::bind((SERVER, port))?))
            .unwrap()
    });
    for (kind, open) in [(Kind::UdpBlocked, [true, true]), (Kind::OnlyTcp443, [true, false])] {
        let phone = Namespace::new("phone").unwrap();
        let _access = world.connect(&phone, "eth0", kind, line("lan"), None).unwrap();
        let reached = listeners.each_ref().map(|listener| {
            let address = listener.local_addr().unwrap();
            phone
                .inside(|| Ok(std::net::TcpStream::connect_timeout(&address, Duration::from_secs(3)).is_ok()))
                .unwrap()
        });
        assert_eq!(reached, open, "{kind}");
        let (inside, outside) = (socket(&phone, Ipv4Addr::UNSPECIFIED), socket(world.servers(), SERVER));
        inside.send_to(b"out?", outside.local_addr().unwrap()).unwrap();
        outside.set_read_timeout(Some(SILENCE)).unwrap();
        assert!(outside.recv(&mut [0; 100]).is_err(), "{kind}");
    }
}

#[test]
fn a_line_delays_cuts_and_counts() {
    if skipped() {
        return;
    }
    let world = World::new().unwrap();
    let phone = Namespace::new("phone").unwrap();
    let tap = Arc::new(Tap::default());
    let access = world
        .connect(&phone, "eth0", Kind::Open, line("rtt100"), Some(Arc::clone(&tap)))
        .unwrap();
    let (inside, outside) = (socket(&phone, Ipv4Addr::UNSPECIFIED), socket(world.servers(), SERVER));
    let address = reach(&inside, &outside, b"hello");
    let mut rtp = [0; 40];
    (rtp[0], rtp[1]) = (0x80, 111);
    let sent = Instant::now();
    outside.send_to(&rtp, address).unwrap();
    inside.set_read_timeout(Some(PATIENCE)).unwrap();
    assert_eq!(inside.recv(&mut [0; 100]).unwrap(), 40);
    // Never early; how late depends on the machine.
    assert!(sent.elapsed() >= Duration::from_millis(50));
    assert_eq!(tap.count(), 1);

    access.cable.set_cut(true);
    let deadline = Instant::now() + PATIENCE;
    while access.cable.stats(End::Right).cut == 0 {
        assert!(Instant::now() < deadline, "a cut line carries on");
        outside.send_to(b"lost", address).unwrap();
        std::thread::park_timeout(Duration::from_millis(10));
    }
    access.cable.set_cut(false);
    outside.send_to(b"back", address).unwrap();
    let mut buffer = [0; 4];
    assert_eq!(inside.recv(&mut buffer).unwrap(), 4);
    assert_eq!(&buffer, b"back");
}

#[test]
fn nothing_is_left_behind_not_even_what_runs_inside() {
    if skipped() {
        return;
    }
    let namespace = Namespace::new("gone").unwrap();
    let name = namespace.name().to_owned();
    let mut child = namespace.command("sleep").arg("1000").spawn().unwrap();
    let listed = || {
        let list = system::output(Command::new("ip").args(["netns", "list"])).unwrap();
        list.lines().any(|line| line.split_whitespace().next() == Some(&name))
    };
    assert!(listed());
    // `ip netns exec` becomes the program only once it is inside.
    let deadline = Instant::now() + PATIENCE;
    while system::output(Command::new("ip").args(["netns", "pids", &name]))
        .unwrap()
        .is_empty()
    {
        assert!(Instant::now() < deadline, "the program never got inside");
        std::thread::park_timeout(Duration::from_millis(10));
    }
    drop(namespace);
    assert!(!listed());
    assert!(!child.wait().unwrap().success());
}
