//! What a TURN client says, as far as these programs need it.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};

use aws_lc_rs::hmac;
use duologue_turn::Credential;
use md5::{Digest as _, Md5};

pub(crate) const ALLOCATE: u16 = 0x0003;
pub(crate) const REFRESH: u16 = 0x0004;
pub(crate) const CHANNEL_BIND: u16 = 0x0009;
pub(crate) const CHANNEL_NUMBER: u16 = 0x000c;
pub(crate) const LIFETIME: u16 = 0x000d;
pub(crate) const XOR_PEER_ADDRESS: u16 = 0x0012;
pub(crate) const REALM: u16 = 0x0014;
pub(crate) const NONCE: u16 = 0x0015;
pub(crate) const REQUESTED_TRANSPORT: u16 = 0x0019;
/// REQUESTED-TRANSPORT for UDP.
pub(crate) const UDP: [u8; 4] = [17, 0, 0, 0];
/// The channel that every client binds.
pub(crate) const CHANNEL: u16 = 0x4000;

/// Who asks, and what the server said about realm and nonce.
pub(crate) struct Identity {
    pub(crate) credential: Credential,
    pub(crate) realm: Vec<u8>,
    pub(crate) nonce: Vec<u8>,
}

pub(crate) fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
    let mut bytes = [kind.to_be_bytes(), (value.len() as u16).to_be_bytes()].concat();
    bytes.extend(value);
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}

/// The value of XOR-PEER-ADDRESS for an IPv4 peer.
pub(crate) fn xor_v4(peer: SocketAddr) -> Vec<u8> {
    let SocketAddr::V4(peer) = peer else {
        panic!("{peer} is not IPv4")
    };
    let mut value = vec![0, 1];
    value.extend((peer.port() ^ 0x2112).to_be_bytes());
    value.extend((peer.ip().to_bits() ^ 0x2112_a442).to_be_bytes());
    value
}

/// A message of a transaction of its own, with room counted for `more` bytes that are still to come.
pub(crate) fn message(kind: u16, body: &[u8], more: usize) -> Vec<u8> {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let mut bytes = kind.to_be_bytes().to_vec();
    bytes.extend(((body.len() + more) as u16).to_be_bytes());
    bytes.extend([0x21, 0x12, 0xa4, 0x42, 0, 0, 0, 0]);
    bytes.extend(NEXT.fetch_add(1, Ordering::Relaxed).to_be_bytes());
    bytes.extend(body);
    bytes
}

/// The first Allocate request, before anything is known.
pub(crate) fn bare_allocate() -> Vec<u8> {
    message(ALLOCATE, &attribute(REQUESTED_TRANSPORT, &UDP), 0)
}

/// Attributes of a ChannelBind request for [`CHANNEL`].
pub(crate) fn channel_to(peer: SocketAddr) -> Vec<u8> {
    let mut number = CHANNEL.to_be_bytes().to_vec();
    number.extend([0, 0]);
    let mut body = attribute(CHANNEL_NUMBER, &number);
    body.extend(attribute(XOR_PEER_ADDRESS, &xor_v4(peer)));
    body
}

/// An attribute of an answer.
pub(crate) fn value_of(message: &[u8], wanted: u16) -> Option<&[u8]> {
    let mut rest = message.get(20..)?;
    while let Some((head, tail)) = rest.split_at_checked(4) {
        let size = usize::from(u16::from_be_bytes([head[2], head[3]]));
        if u16::from_be_bytes([head[0], head[1]]) == wanted {
            return tail.get(..size);
        }
        rest = tail.get(size.next_multiple_of(4)..)?;
    }
    None
}

impl Identity {
    /// A request with the long-term credential (RFC 8489 §9.2).
    pub(crate) fn request(&self, kind: u16, mut body: Vec<u8>) -> Vec<u8> {
        let Credential { username, password } = &self.credential;
        body.extend(attribute(0x0006, username.as_bytes()));
        body.extend(attribute(REALM, &self.realm));
        body.extend(attribute(NONCE, &self.nonce));
        let key = Md5::digest([username.as_bytes(), b":", &self.realm, b":", password.as_bytes()].concat());
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &key);
        let mut bytes = message(kind, &body, 24);
        let tag = hmac::sign(&key, &bytes);
        bytes.extend(attribute(0x0008, tag.as_ref()));
        bytes
    }
}
