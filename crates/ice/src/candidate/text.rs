//! The candidate attribute, RFC 8839 §5.1.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::str::FromStr;

use super::{Candidate, CandidateAddress, CandidateKind};
use crate::ParseError;

/// No sensible attribute is longer; the text comes from the peer.
const MAX_LENGTH: usize = 1024;

impl fmt::Display for Candidate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "candidate:{} {} udp {} {} typ {}",
            self.foundation,
            self.component,
            self.priority,
            self.address,
            self.kind.name()
        )?;
        // raddr and rport are required for every kind but host (RFC 8839 §5.1).
        if self.kind != CandidateKind::Host {
            let related = self
                .related
                .unwrap_or(SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 9));
            write!(f, " raddr {} rport {}", related.ip(), related.port())?;
        }
        if let Some(ufrag) = &self.ufrag {
            write!(f, " ufrag {ufrag}")?;
        }
        Ok(())
    }
}

impl FromStr for Candidate {
    type Err = ParseError;

    /// Accepts the value with or without `a=` and `candidate:`; unknown extensions are skipped.
    fn from_str(text: &str) -> Result<Self, ParseError> {
        if text.len() > MAX_LENGTH {
            return Err(ParseError::TooLong { length: text.len() });
        }
        let text = text.trim();
        let text = text.strip_prefix("a=").unwrap_or(text);
        let text = text.strip_prefix("candidate:").unwrap_or(text);
        let mut fields = text.split_ascii_whitespace();
        let mut next = |field| fields.next().ok_or(ParseError::Missing { field });

        let foundation = next("foundation")?;
        if foundation.len() > 32 || !foundation.bytes().all(is_ice_char) {
            return Err(ParseError::Invalid { field: "foundation" });
        }
        let component = number(next("component")?, "component")?;
        if !next("transport")?.eq_ignore_ascii_case("udp") {
            return Err(ParseError::Transport);
        }
        let priority = number(next("priority")?, "priority")?;
        let address = next("address")?;
        let address = parse_address(address, number(next("port")?, "port")?)?;
        if next("typ")? != "typ" {
            return Err(ParseError::Missing { field: "typ" });
        }
        let kind = match next("type")? {
            "host" => CandidateKind::Host,
            "srflx" => CandidateKind::ServerReflexive,
            "prflx" => CandidateKind::PeerReflexive,
            "relay" => CandidateKind::Relayed,
            _ => return Err(ParseError::Invalid { field: "type" }),
        };

        let (mut related_ip, mut related_port, mut ufrag) = (None, None, None);
        while let Some(name) = fields.next() {
            let Some(value) = fields.next() else { break };
            match name {
                // Diagnostics only, and browsers hide it: what cannot be read is left out.
                "raddr" => related_ip = value.parse::<IpAddr>().ok(),
                "rport" => related_port = value.parse::<u16>().ok(),
                "ufrag" => ufrag = Some(value.to_owned()),
                _ => {}
            }
        }
        Ok(Self {
            kind,
            address,
            base: None,
            related: related_ip.zip(related_port).map(|(ip, port)| SocketAddr::new(ip, port)),
            priority,
            foundation: foundation.to_owned(),
            component,
            ufrag,
        })
    }
}

fn parse_address(text: &str, port: u16) -> Result<CandidateAddress, ParseError> {
    if let Ok(ip) = text.parse::<IpAddr>() {
        return Ok(CandidateAddress::Socket(SocketAddr::new(ip, port)));
    }
    let is_name = text.len() <= 255
        && text.to_ascii_lowercase().ends_with(".local")
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.'));
    if !is_name {
        return Err(ParseError::Invalid { field: "address" });
    }
    Ok(CandidateAddress::Mdns {
        name: text.to_owned(),
        port,
    })
}

fn number<T: FromStr>(text: &str, field: &'static str) -> Result<T, ParseError> {
    // `parse` would take a leading plus sign, which the grammar has not.
    if !text.bytes().all(|b| b.is_ascii_digit()) {
        return Err(ParseError::Invalid { field });
    }
    text.parse().map_err(|_| ParseError::Invalid { field })
}

fn is_ice_char(b: u8) -> bool {
    b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/')
}
