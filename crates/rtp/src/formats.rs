/// The payload types and header extensions agreed on with the peer, for both directions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Formats {
    /// Payload type of the media sent, 0..=127 (higher bits are cut); not 64..=95, where RTP would look like RTCP.
    pub payload_type: u8,
    /// Payload types that are delivered; others are counted and dropped.
    pub receive_payload_types: Vec<u8>,
    /// Redundant payloads, where agreed on (RFC 2198).
    pub red: Option<Red>,
    /// Identifier of the audio level's header extension (RFC 6464), 1..=14. Levels are then sent, and read.
    pub audio_level: Option<u8>,
    /// Identifier of the transport-wide number's header extension. Numbered packets are then answered with feedback
    /// (draft-holmer-rmcat-transport-wide-cc-extensions-01); own packets are not numbered.
    pub transport_wide: Option<u8>,
}

/// How redundant payloads are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Red {
    /// Their payload type.
    pub payload_type: u8,
    /// Whether each packet sent carries a copy of the one before it. They are understood in any case.
    pub send: bool,
}

impl Formats {
    /// One format and no extension.
    #[must_use]
    pub fn plain(payload_type: u8) -> Self {
        Self {
            payload_type,
            receive_payload_types: vec![payload_type],
            red: None,
            audio_level: None,
            transport_wide: None,
        }
    }

    pub(crate) fn checked(mut self) -> Self {
        self.payload_type &= 0x7f;
        self
    }
}

impl Default for Formats {
    /// Opus in both directions on payload type 111.
    fn default() -> Self {
        Self::plain(111)
    }
}
