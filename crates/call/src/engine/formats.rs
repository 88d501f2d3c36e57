//! Payload types and header extensions: what is offered, what is made of an offer, what is agreed on.

use duologue_media::{Formats, Red};
use duologue_signaling::{Codec, HeaderExtension, SessionDescription};

/// The numbers that browsers use, so that whoever reads a trace knows them.
const OPUS: u8 = 111;
const RED: u8 = 63;
const AUDIO_LEVEL: u8 = 1;
const TRANSPORT_WIDE: u8 = 3;

const AUDIO_LEVEL_URI: &str = "urn:ietf:params:rtp-hdrext:ssrc-audio-level";
const TRANSPORT_WIDE_URI: &str = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01";
/// RTCP feedback that numbered packets are answered with.
const TRANSPORT_CC: &str = "transport-cc";

/// What one end says of its formats: an offer, or the answer to one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FormatList {
    pub(super) codecs: Vec<Codec>,
    pub(super) extmap: Vec<HeaderExtension>,
}

impl FormatList {
    /// What we offer: redundancy first.
    pub(super) fn offer() -> Self {
        Self {
            codecs: vec![red(RED, OPUS), opus(OPUS, true)],
            extmap: vec![
                extension(AUDIO_LEVEL, AUDIO_LEVEL_URI),
                extension(TRANSPORT_WIDE, TRANSPORT_WIDE_URI),
            ],
        }
    }

    /// Our answer: what we understand of the offer, in its order and with its numbers. Empty without Opus: there is nothing to say.
    pub(super) fn answer(offer: &SessionDescription) -> Self {
        let Some(speech) = find_opus(&offer.codecs) else {
            return Self {
                codecs: Vec::new(),
                extmap: Vec::new(),
            };
        };
        let wants_feedback = speech.rtcp_fb.iter().any(|feedback| feedback == TRANSPORT_CC);
        let mut codecs: Vec<Codec> = Vec::new();
        for codec in &offer.codecs {
            if codecs.iter().any(|known| known.pt == codec.pt) {
                continue;
            }
            if codec.pt == speech.pt && is_opus(codec) {
                codecs.push(opus(codec.pt, wants_feedback));
            } else if is_red_of(codec, speech.pt) && !codecs.iter().any(|known| is_named(known, "red")) {
                codecs.push(red(codec.pt, speech.pt));
            }
        }
        let mut extmap: Vec<HeaderExtension> = Vec::new();
        for element in &offer.extmap {
            let known = element.uri == AUDIO_LEVEL_URI || (element.uri == TRANSPORT_WIDE_URI && wants_feedback);
            let again = extmap
                .iter()
                .any(|other| other.id == element.id || other.uri == element.uri);
            // RFC 8285 §4.2: the identifiers of the one-byte form.
            if known && !again && (1..=14).contains(&element.id) {
                extmap.push(element.clone());
            }
        }
        Self { codecs, extmap }
    }

    /// What is in force when `ours` and `theirs` have been exchanged, either of them being the answer; `None` without Opus at both
    /// ends.
    ///
    /// What is sent has the peer's numbers. What is received may have either end's: an answer should repeat the numbers of the offer
    /// (RFC 3264 §6.1), and who numbers anew is understood all the same.
    pub(super) fn agree(ours: &Self, theirs: &SessionDescription) -> Option<Formats> {
        let (own, peer) = (find_opus(&ours.codecs)?, find_opus(&theirs.codecs)?);
        let mut receive_payload_types = vec![own.pt];
        if peer.pt != own.pt {
            receive_payload_types.push(peer.pt);
        }
        let own_red = ours.codecs.iter().find(|codec| is_red_of(codec, own.pt));
        let peer_red = theirs.codecs.iter().find(|codec| is_red_of(codec, peer.pt));
        let red = own_red.zip(peer_red).map(|(_, red)| Red {
            payload_type: red.pt,
            // Best first: what the peer puts before plain Opus it wants to be sent.
            send: { &theirs.codecs }
                .iter()
                .take_while(|codec| !(codec.pt == peer.pt && is_opus(codec)))
                .any(|codec| codec.pt == red.pt),
        });
        let id = |uri: &str| {
            let of = |extmap: &[HeaderExtension]| {
                extmap
                    .iter()
                    .find(|element| element.uri == uri)
                    .map(|element| element.id)
            };
            of(&theirs.extmap).filter(|id| of(&ours.extmap).is_some() && (1..=14).contains(id))
        };
        Some(Formats {
            payload_type: peer.pt,
            receive_payload_types,
            red,
            audio_level: id(AUDIO_LEVEL_URI),
            transport_wide: id(TRANSPORT_WIDE_URI),
        })
    }
}

/// RFC 7587 §7: Opus is always declared with 48 kHz and two channels, whatever is sent.
fn opus(pt: u8, feedback: bool) -> Codec {
    Codec {
        name: "opus".into(),
        pt,
        rate: 48_000,
        ch: 2,
        fmtp: "minptime=10;useinbandfec=1".into(),
        rtcp_fb: feedback.then(|| TRANSPORT_CC.into()).into_iter().collect(),
    }
}

/// RFC 2198 §5: the formats of its blocks, here Opus and a copy of Opus.
fn red(pt: u8, opus: u8) -> Codec {
    Codec {
        name: "red".into(),
        pt,
        rate: 48_000,
        ch: 2,
        fmtp: format!("{opus}/{opus}"),
        rtcp_fb: Vec::new(),
    }
}

fn extension(id: u8, uri: &str) -> HeaderExtension {
    HeaderExtension { id, uri: uri.into() }
}

fn find_opus(codecs: &[Codec]) -> Option<&Codec> {
    codecs.iter().find(|codec| is_opus(codec))
}

fn is_opus(codec: &Codec) -> bool {
    is_named(codec, "opus") && codec.rate == 48_000 && codec.ch == 2 && may_be_rtp(codec.pt)
}

fn is_red_of(codec: &Codec, opus: u8) -> bool {
    is_named(codec, "red")
        && codec.rate == 48_000
        && codec.pt != opus
        && may_be_rtp(codec.pt)
        && codec.fmtp.split('/').all(|block| block.trim().parse() == Ok(opus))
}

/// RFC 4855 §3: names of formats know no case.
fn is_named(codec: &Codec, name: &str) -> bool {
    codec.name.eq_ignore_ascii_case(name)
}

/// RFC 5761 §4: RTCP looks like these payload types where it shares the port.
fn may_be_rtp(pt: u8) -> bool {
    pt <= 127 && !(64..=95).contains(&pt)
}

#[cfg(test)]
mod tests;
