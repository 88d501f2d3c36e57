use super::*;

fn addr(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

#[test]
fn a_nonce_is_one_clients_for_its_time() {
    let now = Instant::now();
    let nonces = Nonces::new(&[1; 32], Duration::from_secs(60), now);
    let client = addr("192.0.2.1:5");
    let nonce = nonces.make(client, now);
    assert_eq!(nonce.len(), LENGTH);
    let later = |seconds| now + Duration::from_secs(seconds);
    assert!(nonces.is_good(nonce.as_bytes(), client, now));
    assert!(nonces.is_good(nonce.as_bytes(), client, later(59)));
    assert!(!nonces.is_good(nonce.as_bytes(), client, later(60)));
    assert!(!nonces.is_good(nonce.as_bytes(), addr("192.0.2.1:6"), now));
    assert!(!nonces.is_good(nonce.as_bytes(), addr("192.0.2.2:5"), now));
    let other = Nonces::new(&[2; 32], Duration::from_secs(60), now);
    assert!(!other.is_good(nonce.as_bytes(), client, now));
}

#[test]
fn a_changed_nonce_is_none() {
    let now = Instant::now();
    let nonces = Nonces::new(&[1; 32], Duration::from_secs(60), now);
    let client = addr("[2001:db8::1]:5");
    let nonce = nonces.make(client, now).into_bytes();
    for index in 0..nonce.len() {
        let mut changed = nonce.clone();
        changed[index] = if changed[index] == b'A' { b'B' } else { b'A' };
        assert!(!nonces.is_good(&changed, client, now));
        assert!(!nonces.is_good(&nonce[..index], client, now));
    }
    assert!(!nonces.is_good(&[nonce, b"AAAA".to_vec()].concat(), client, now));
}

#[test]
fn the_brake_counts_by_network_and_second() {
    let now = Instant::now();
    let mut brake = Brake::new(3, 9, now);
    let taken = |brake: &mut Brake, address: &str, now| {
        let address = addr(address).ip();
        (0..10).filter(|_| brake.take(address, now)).count()
    };
    assert_eq!(taken(&mut brake, "192.0.2.1:0", now), 3);
    assert_eq!(taken(&mut brake, "192.0.2.200:0", now), 0, "the same /24");
    assert_eq!(taken(&mut brake, "[2001:db8::1]:0", now), 3);
    assert_eq!(taken(&mut brake, "[2001:db8:0:7f::1]:0", now), 0, "the same /56");
    assert_eq!(taken(&mut brake, "192.0.2.1:0", now + Duration::from_secs(1)), 3);
}
