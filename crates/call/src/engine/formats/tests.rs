use super::*;

fn description(list: FormatList) -> SessionDescription {
    SessionDescription {
        codecs: list.codecs,
        extmap: list.extmap,
        ..SessionDescription::default()
    }
}

fn other(name: &str, pt: u8, rate: u32) -> Codec {
    Codec {
        name: name.into(),
        pt,
        rate,
        ch: 1,
        ..Codec::default()
    }
}

/// Chromium's default offer, and the same with redundancy preferred.
fn chromium(red_first: bool) -> SessionDescription {
    let mut codecs = vec![opus(111, true), red(63, 111)];
    if red_first {
        codecs.reverse();
    }
    codecs.extend([
        other("G722", 9, 8_000),
        other("PCMU", 0, 8_000),
        other("CN", 13, 8_000),
        other("telephone-event", 110, 48_000),
        other("telephone-event", 126, 8_000),
    ]);
    description(FormatList {
        codecs,
        extmap: vec![
            extension(1, AUDIO_LEVEL_URI),
            extension(2, "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"),
            extension(3, TRANSPORT_WIDE_URI),
            extension(4, "urn:ietf:params:rtp-hdrext:sdes:mid"),
        ],
    })
}

fn names(list: &FormatList) -> Vec<(&str, u8)> {
    list.codecs
        .iter()
        .map(|codec| (codec.name.as_str(), codec.pt))
        .collect()
}

#[test]
fn natives_agree_on_redundancy_both_ways() {
    let offer = description(FormatList::offer());
    let answer = FormatList::answer(&offer);
    assert_eq!(answer, FormatList::offer());
    let at_callee = FormatList::agree(&answer, &offer).unwrap();
    let at_caller = FormatList::agree(&FormatList::offer(), &description(answer)).unwrap();
    assert_eq!(at_callee, at_caller);
    assert_eq!(
        at_caller,
        Formats {
            payload_type: 111,
            receive_payload_types: vec![111],
            red: Some(Red {
                payload_type: 63,
                send: true
            }),
            audio_level: Some(1),
            transport_wide: Some(3),
        }
    );
}

#[test]
fn the_answer_keeps_the_order_and_refuses_what_is_not_speech() {
    let offer = chromium(false);
    let answer = FormatList::answer(&offer);
    assert_eq!(names(&answer), [("opus", 111), ("red", 63)]);
    let ids: Vec<_> = answer.extmap.iter().map(|element| element.id).collect();
    assert_eq!(ids, [1, 3]);
    // Not preferred: understood, not sent.
    let agreed = FormatList::agree(&answer, &offer).unwrap();
    assert_eq!(agreed.red.map(|red| red.send), Some(false));
    let offer = chromium(true);
    let answer = FormatList::answer(&offer);
    assert_eq!(names(&answer), [("red", 63), ("opus", 111)]);
    let agreed = FormatList::agree(&answer, &offer).unwrap();
    assert_eq!(agreed.red.map(|red| red.send), Some(true));
}

#[test]
fn firefox_has_other_numbers_and_no_redundancy() {
    let mut speech = opus(109, false);
    speech.fmtp = "maxplaybackrate=48000;stereo=1;useinbandfec=1".into();
    let offer = description(FormatList {
        codecs: vec![speech, other("G722", 9, 8_000), other("telephone-event", 101, 8_000)],
        extmap: vec![
            extension(1, AUDIO_LEVEL_URI),
            extension(3, "urn:ietf:params:rtp-hdrext:sdes:mid"),
        ],
    });
    let answer = FormatList::answer(&offer);
    assert_eq!(names(&answer), [("opus", 109)]);
    assert_eq!(
        FormatList::agree(&answer, &offer),
        Some(Formats {
            audio_level: Some(1),
            ..Formats::plain(109)
        })
    );
}

#[test]
fn an_answer_with_numbers_of_its_own_is_understood() {
    let answer = description(FormatList {
        codecs: vec![red(100, 109), opus(109, true)],
        extmap: Vec::new(),
    });
    let agreed = FormatList::agree(&FormatList::offer(), &answer).unwrap();
    assert_eq!(
        (agreed.payload_type, &agreed.receive_payload_types[..]),
        (109, &[111, 109][..])
    );
    assert_eq!(
        agreed.red,
        Some(Red {
            payload_type: 100,
            send: true
        })
    );
    assert_eq!((agreed.audio_level, agreed.transport_wide), (None, None));
}

#[test]
fn what_cannot_be_is_refused() {
    let offer = |codecs, extmap| description(FormatList { codecs, extmap });
    // No Opus; Opus where RTCP would be taken for it; Opus at another rate.
    let mut slow = opus(111, true);
    slow.rate = 16_000;
    for codecs in [
        vec![],
        vec![other("PCMU", 0, 8_000)],
        vec![opus(72, true)],
        vec![opus(200, true)],
        vec![slow],
    ] {
        let offer = offer(codecs, FormatList::offer().extmap);
        let answer = FormatList::answer(&offer);
        assert_eq!((answer.codecs.len(), answer.extmap.len()), (0, 0));
        assert_eq!(FormatList::agree(&answer, &offer), None);
        assert_eq!(FormatList::agree(&FormatList::offer(), &offer), None);
    }
    // Redundancy of something else; identifiers that are taken or do not exist; feedback that nobody asked for.
    let offer = offer(
        vec![red(63, 9), red(64, 111), opus(111, false)],
        vec![
            extension(15, AUDIO_LEVEL_URI),
            extension(1, TRANSPORT_WIDE_URI),
            extension(2, AUDIO_LEVEL_URI),
            extension(2, AUDIO_LEVEL_URI),
        ],
    );
    let answer = FormatList::answer(&offer);
    assert_eq!(names(&answer), [("opus", 111)]);
    assert_eq!(answer.extmap, [extension(2, AUDIO_LEVEL_URI)]);
}
