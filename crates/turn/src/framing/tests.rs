use proptest::prelude::*;

use super::*;

fn stun(words: usize) -> Vec<u8> {
    let mut message = vec![0, 1];
    message.extend(((words * 4) as u16).to_be_bytes());
    message.extend(COOKIE);
    message.resize(20 + words * 4, 7);
    message
}

/// As a datagram, and as a stream carries it.
fn data(length: usize) -> (Vec<u8>, Vec<u8>) {
    let mut message = vec![0x40, 0x01];
    message.extend((length as u16).to_be_bytes());
    message.resize(4 + length, 9);
    let mut padded = message.clone();
    padded.resize(4 + length.next_multiple_of(4), 0);
    (message, padded)
}

proptest! {
    /// However the network cuts the stream.
    #[test]
    fn messages_come_out_as_they_went_in(
        kinds in prop::collection::vec((any::<bool>(), 0..300_usize), 0..12),
        cuts in prop::collection::vec(1..200_usize, 1..20),
    ) {
        let (mut sent, mut stream) = (vec![stun(0)], stun(0));
        for (is_stun, size) in kinds {
            let (message, padded) = if is_stun { (stun(size), stun(size)) } else { data(size) };
            sent.push(message);
            stream.extend(padded);
        }
        let mut framing = Framing::new();
        let mut got = Vec::new();
        let mut rest = &stream[..];
        for cut in cuts.iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let (piece, after) = rest.split_at((*cut).min(rest.len()));
            rest = after;
            framing.push(piece);
            while let Some(message) = framing.next_message().unwrap() {
                got.push(message.to_vec());
            }
        }
        prop_assert_eq!(got, sent);
    }

    #[test]
    fn what_waits_is_bounded(bytes in prop::collection::vec(any::<u8>(), 0..400), pieces in 1..50_usize) {
        let mut framing = Framing::new();
        for piece in bytes.chunks(bytes.len() / pieces + 1) {
            framing.push(piece);
            while let Ok(Some(_)) = framing.next_message() {}
            if framing.next_message().is_err() {
                break;
            }
            prop_assert!(framing.bytes.len() <= 65_555 + piece.len());
        }
    }
}

#[test]
fn garbage_ends_the_stream() {
    let mut odd = stun(1);
    odd[3] = 5;
    let mut other_magic = stun(0);
    other_magic[4] ^= 1;
    for garbage in [
        &b"GET / HTTP/1.1"[..],
        &[0x50, 0, 0, 0],
        &[0x80, 0, 0, 0],
        &odd,
        &other_magic,
    ] {
        let mut framing = Framing::new();
        framing.push(garbage);
        assert_eq!(framing.next_message(), Err(OutOfFrame));
        framing.push(&stun(0));
        assert_eq!(framing.next_message(), Err(OutOfFrame), "and stays ended");
    }
}
